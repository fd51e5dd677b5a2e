"use strict";
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const element = id => document.getElementById(id);
  const [points, said, pointed, keptBox] = ["points", "said", "pointed", "kept"].map(element);
  const [chosenEstimator, chosenTruth, chosenAxes] = ["estimator", "truth", "axes"].map(element);
  const ink = "#7a8594", grid = "rgba(128,128,128,0.25)";
  const kept = new Set();
  const every = content.labels.map((_, k) => k);
  const mostWithoutWebGl = 3000;
  let pointType = "scattergl", drawn = every;

  const font = "system-ui, sans-serif", margin = {l: 64, r: 16, t: 8, b: 48};
  const colors = [[43, 123, 186], [224, 142, 11], [178, 62, 45]];
  const css = color => `rgb(${color.map(Math.round).join(",")})`;

  const layout = (across, up) => ({
    xaxis: {title: {text: across}, gridcolor: grid, zeroline: false},
    yaxis: {title: {text: up}, gridcolor: grid, zeroline: false},
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: {color: ink, family: font},
    margin, hovermode: "closest", showlegend: false,
  });

  // Rank 1 is the best, ties share their average; what has no number has no rank.
  const ranked = (values, higherIsBetter) => {
    const sign = higherIsBetter ? -1 : 1;
    const order = values.map((_, k) => k).filter(k => values[k] !== null)
      .sort((one, other) => sign * (values[one] - values[other]));
    const ranks = values.map(() => null);
    for (let start = 0, end = 0; start < order.length; start = end) {
      while (end < order.length && values[order[end]] === values[order[start]]) end += 1;
      for (let place = start; place < end; place += 1) ranks[order[place]] = (start + 1 + end) / 2;
    }
    return ranks;
  };

  const shownNumbers = () => {
    const name = chosenEstimator.value, key = chosenTruth.value;
    const estimates = content.estimates[name], truth = content.truths[key];
    return chosenAxes.value === "values"
      ? {x: estimates, y: truth, across: `${name} (${content.directions[name] ? "high" : "low"} is better)`, up: `${key} (%)`}
      : {x: ranked(estimates, content.directions[name]), y: ranked(truth, true), across: `rank by ${name}`, up: `rank by ${key}`};
  };

  const say = x => {
    const without = x.filter(value => value === null).length;
    said.textContent = `${(x.length - without).toLocaleString("en")} architectures` +
      (without ? `, ${without.toLocaleString("en")} without a number` : "") +
      (drawn === every ? "" : `; this browser has no WebGL: ${drawn.length.toLocaleString("en")} points are drawn`);
  };

  const extent = values => values.reduce(([low, high], value) =>
    value === null ? [low, high] : [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

  // The points without axes to zoom, for as long as plotly has not begun, which takes more than a second.
  const drawFirstSight = () => {
    const {x, y, across, up} = shownNumbers();
    const canvas = document.createElement("canvas"), scale = devicePixelRatio;
    const [width, height] = [points.clientWidth, points.clientHeight], colorbar = 80;
    [canvas.width, canvas.height] = [width * scale, height * scale];
    Object.assign(canvas.style, {width: `${width}px`, height: `${height}px`});
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    const isReversed = chosenAxes.value === "ranks";
    const placed = (values, start, end) => {
      const [low, high] = extent(values), room = (high - low) * 0.03 || 1;
      const share = value => (value - low + room) / (high - low + 2 * room);
      return value => start + (end - start) * (isReversed ? 1 - share(value) : share(value));
    };
    const atX = placed(x, margin.l, width - margin.r - colorbar), atY = placed(y, height - margin.b, margin.t);
    const [small, large] = extent(content.sizes);
    const colorOf = size => {
      const place = 2 * (size - small) / (large - small || 1), k = Math.min(Math.floor(place), 1);
      return css(colors[k].map((part, j) => part + (place - k) * (colors[k + 1][j] - part)));
    };
    pen.globalAlpha = 0.75;
    for (const k of every) {
      if (x[k] === null || y[k] === null) continue;
      pen.fillStyle = colorOf(content.sizes[k]);
      pen.beginPath();
      pen.arc(atX(x[k]), atY(y[k]), 2.5, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.globalAlpha = 1;
    pen.fillStyle = ink;
    pen.font = `14px ${font}`;
    pen.textAlign = "center";
    pen.fillText(across, (margin.l + width - margin.r - colorbar) / 2, height - 10);
    pen.rotate(-Math.PI / 2);
    pen.fillText(up, -(height - margin.b + margin.t) / 2, 18);
    points.replaceChildren(canvas);
    say(x);
    return Promise.resolve();
  };

  const drawPoints = () => {
    const {x, y, across, up} = shownNumbers();
    const places = [...kept];
    const type = pointType;
    const only = values => drawn === every ? values : drawn.map(k => values[k]);
    const cells = {
      type, mode: "markers", x: only(x), y: only(y), hovertemplate: "%{x:.6~g}<br>%{y:.6~g}<extra></extra>",
      marker: {
        size: 5, opacity: 0.75, color: only(content.sizes), colorbar: {title: {text: content.size}, thickness: 12},
        colorscale: colors.map((color, k) => [k / 2, css(color)]),
      },
    };
    const rings = {
      type, mode: "markers", x: places.map(k => x[k]), y: places.map(k => y[k]), hoverinfo: "skip",
      marker: {size: 14, color: "rgba(0,0,0,0)", line: {width: 3, color: "#8e0dff"}},
    };
    const shape = layout(across, up);
    if (chosenAxes.value === "ranks") shape.xaxis.autorange = shape.yaxis.autorange = "reversed";
    say(x);
    return Plotly.react(points, [cells, rings], shape, {responsive: true, displaylogo: false, scrollZoom: true});
  };

  // Plotly tells that a browser has no WebGL only by what it draws instead. Points of SVG are slow: some of them serve.
  const drawPointsSomehow = () => drawPoints().then(() => {
    if (!points.querySelector(".no-webgl")) return undefined;
    pointType = "scatter";
    const step = Math.ceil(every.length / mostWithoutWebGl);
    if (step > 1) drawn = every.filter(k => k % step === 0);
    Plotly.purge(points);
    return drawPoints();
  });

  const draw = () => window.Plotly ? drawPoints() : drawFirstSight();

  // The edges on a way from the first node to the last; what leads nowhere, or comes from nowhere, decides nothing.
  const liveEdges = present => {
    const last = Math.max(...content.edges.map(([, target]) => target));
    const [fed, used] = [new Set([0]), new Set([last])];
    const sorted = [...present].sort((one, other) => content.edges[one][1] - content.edges[other][1]);
    for (const k of sorted) if (fed.has(content.edges[k][0])) fed.add(content.edges[k][1]);
    for (const k of sorted.reverse()) if (used.has(content.edges[k][1])) used.add(content.edges[k][0]);
    return new Set(present.filter(k => fed.has(content.edges[k][0]) && used.has(content.edges[k][1])));
  };

  // A cell has of every edge what the picture of the cell has in which all edges are like it.
  const pictures = [...document.querySelectorAll("#pictures svg")];
  const groups = picture => [...picture.querySelectorAll(":scope > g")];
  const drawnCell = k => {
    const box = document.createElement("div");
    box.className = "picture";
    if (!pictures.length) return box;
    const genes = content.identities[k].split(":").pop().split("-").map(Number);
    const base = pictures.find(picture => groups(picture).length).cloneNode(true);
    const edges = genes.map((gene, edge) => groups(pictures[gene])[edge]?.cloneNode(true));
    const live = liveEdges(genes.map((_, edge) => edge).filter(edge => edges[edge]));
    edges.forEach((edge, place) => {
      if (!edge || live.has(place)) return;
      edge.setAttribute("stroke-dasharray", "4 3");
      edge.setAttribute("opacity", "0.45");
    });
    groups(base).forEach((group, edge) => edges[edge] ? group.replaceWith(edges[edge]) : group.remove());
    base.querySelector("title").textContent = content.labels[k];
    box.append(base);
    return box;
  };

  const named = k => {
    const name = document.createElement("span");
    name.textContent = content.labels[k];
    name.title = content.identities[k];
    return name;
  };

  const point = k => {
    const about = document.createElement("p");
    about.textContent = `${content.size}: ${content.sizes[k] === null ? "-" : content.sizes[k].toLocaleString("en")}`;
    pointed.replaceChildren(drawnCell(k), named(k), about);
  };

  const numberCell = value => {
    const cell = document.createElement("td");
    cell.textContent = value === null ? "-" : String(Number(value.toPrecision(5)));
    return cell;
  };

  const drawKept = () => {
    keptBox.hidden = kept.size === 0;
    const [head, body] = ["thead", "tbody"].map(part => keptBox.querySelector(part));
    const keys = Object.keys(content.truths), names = Object.keys(content.estimates);
    const titles = document.createElement("tr");
    for (const title of ["kept", content.size, ...keys, ...names, ""]) {
      const cell = document.createElement("th");
      cell.textContent = title;
      titles.append(cell);
    }
    head.replaceChildren(titles);
    body.replaceChildren(...[...kept].map(k => {
      const row = document.createElement("tr"), cell = document.createElement("td"), last = document.createElement("td");
      cell.append(drawnCell(k), named(k));
      cell.className = "cell";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "drop";
      button.setAttribute("aria-label", `Drop ${content.identities[k]}`);
      button.addEventListener("click", () => { kept.delete(k); drawKept(); draw(); });
      last.append(button);
      const numbers = [content.sizes, ...keys.map(key => content.truths[key]), ...names.map(name => content.estimates[name])];
      row.append(cell, ...numbers.map(values => numberCell(values[k])), last);
      return row;
    }));
  };

  const keep = k => { kept.add(k); point(k); drawKept(); return draw(); };

  const keepWanted = () => {
    const wanted = element("wanted").value.trim();
    const exact = content.identities.indexOf(wanted);
    const k = exact >= 0 || !wanted ? exact
      : content.labels.findIndex((label, k) => label.includes(wanted) || content.identities[k].includes(wanted));
    if (k >= 0) keep(k);
    else said.textContent = wanted ? `no cell has ${wanted}` : "write a cell, or a part of it";
  };

  const sortBy = (table, column, header) => {
    const descending = header.getAttribute("aria-sort") !== "descending";
    table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
    header.setAttribute("aria-sort", descending ? "descending" : "ascending");
    const body = table.tBodies[0];
    const keyOf = row => {
      const cell = row.cells[column];
      return "number" in cell.dataset ? Number(cell.dataset.number) : cell.textContent;
    };
    const isMissing = key => key === "-" || key === "";
    const rows = [...body.rows].map(row => [keyOf(row), row]);
    rows.sort(([one], [other]) => {
      if (isMissing(one) || isMissing(other)) return isMissing(one) - isMissing(other);
      const difference = typeof one === "number" && typeof other === "number" ? one - other
        : String(one).localeCompare(String(other), "en", {numeric: true});
      return descending ? -difference : difference;
    });
    body.append(...rows.map(([, row]) => row));
  };
  document.querySelectorAll("table.sortable").forEach(table =>
    table.querySelectorAll("th").forEach((header, column) =>
      header.querySelector("button").addEventListener("click", () => sortBy(table, column, header))));

  const boxes = [...document.querySelectorAll("#shown input")];
  const filter = () => {
    const hidden = new Set(boxes.filter(box => !box.checked).map(box => box.value));
    document.querySelectorAll("[data-estimator]").forEach(one => { one.hidden = hidden.has(one.dataset.estimator); });
  };
  boxes.forEach(box => box.addEventListener("change", filter));
  for (const [id, checked] of [["every", true], ["none", false]]) {
    element(id).addEventListener("click", () => { boxes.forEach(box => { box.checked = checked; }); filter(); });
  }

  [chosenEstimator, chosenTruth, chosenAxes].forEach(control => control.addEventListener("change", draw));
  element("keep").addEventListener("click", keepWanted);
  element("wanted").addEventListener("keydown", event => { if (event.key === "Enter") keepWanted(); });

  const begin = () => {
    const script = document.createElement("script");
    script.textContent = element("plotly").textContent;
    document.head.append(script);
    points.replaceChildren();
    drawPointsSomehow().then(() => {
      const placeOf = event => drawn[event.points[0].pointNumber];
      points.on("plotly_click", event => keep(placeOf(event)));
      points.on("plotly_hover", event => point(placeOf(event)));
      document.documentElement.dataset.liveAfter = String(Math.round(performance.now()));
    });
  };

  drawFirstSight();
  document.documentElement.dataset.drawnAfter = String(Math.round(performance.now()));
  // A timer that a frame sets goes off when the frame has been painted.
  addEventListener("load", () => requestAnimationFrame(() => setTimeout(begin)));
})();
