"use strict";
(() => {
  const content = JSON.parse(document.getElementById("content").textContent);
  const element = id => document.getElementById(id);
  const [points, said, keptBox] = ["points", "said", "kept"].map(element);
  const [chosenEstimator, chosenTruth, chosenAxes] = ["estimator", "truth", "axes"].map(element);
  const ink = "#7a8594", grid = "rgba(128,128,128,0.25)";
  const kept = new Set();
  const every = content.labels.map((_, k) => k);
  const mostWithoutWebGl = 3000;
  let pointType = "scattergl", drawn = every;

  const layout = (across, up) => ({
    xaxis: {title: {text: across}, gridcolor: grid, zeroline: false},
    yaxis: {title: {text: up}, gridcolor: grid, zeroline: false},
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: {color: ink, family: "system-ui, sans-serif"},
    margin: {l: 64, r: 16, t: 8, b: 48}, hovermode: "closest", showlegend: false,
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

  const drawPoints = () => {
    const {x, y, across, up} = shownNumbers();
    const places = [...kept];
    const type = pointType;
    const only = values => drawn === every ? values : drawn.map(k => values[k]);
    const cells = {
      type, mode: "markers", x: only(x), y: only(y), text: only(content.labels),
      hovertemplate: "%{text}<br>%{x:.6~g}<br>%{y:.6~g}<extra></extra>",
      marker: {
        size: 5, opacity: 0.75, color: only(content.sizes), colorbar: {title: {text: content.size}, thickness: 12},
        colorscale: [[0, "#2b7bba"], [0.5, "#e08e0b"], [1, "#b23e2d"]],
      },
    };
    const rings = {
      type, mode: "markers", x: places.map(k => x[k]), y: places.map(k => y[k]), hoverinfo: "skip",
      marker: {size: 14, color: "rgba(0,0,0,0)", line: {width: 3, color: "#8e0dff"}},
    };
    const shape = layout(across, up);
    if (chosenAxes.value === "ranks") shape.xaxis.autorange = shape.yaxis.autorange = "reversed";
    const without = x.filter(value => value === null).length;
    said.textContent = `${(x.length - without).toLocaleString("en")} architectures` +
      (without ? `, ${without.toLocaleString("en")} without a number` : "") +
      (drawn === every ? "" : `; this browser has no WebGL: ${drawn.length.toLocaleString("en")} points are drawn`);
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
      cell.textContent = content.labels[k];
      cell.title = content.identities[k];
      cell.className = "cell";
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "drop";
      button.setAttribute("aria-label", `Drop ${content.identities[k]}`);
      button.addEventListener("click", () => { kept.delete(k); drawKept(); drawPoints(); });
      last.append(button);
      const numbers = [content.sizes, ...keys.map(key => content.truths[key]), ...names.map(name => content.estimates[name])];
      row.append(cell, ...numbers.map(values => numberCell(values[k])), last);
      return row;
    }));
  };

  const keep = k => { kept.add(k); drawKept(); return drawPoints(); };

  const keepWanted = () => {
    const wanted = element("wanted").value.trim();
    const exact = content.identities.indexOf(wanted);
    const k = exact >= 0 || !wanted ? exact
      : content.labels.findIndex((label, k) => label.includes(wanted) || content.identities[k].includes(wanted));
    if (k >= 0) keep(k);
    else said.textContent = wanted ? `no cell has ${wanted}` : "write a cell, or a part of it";
  };

  const drawHeatmap = (area, heatmap) => {
    const shape = layout("", "");
    const longest = Math.max(...heatmap.columns.map(name => name.length));
    const areLong = longest * heatmap.columns.length > 110;
    shape.margin.b = 8;
    shape.height = 60 + 26 * heatmap.rows.length + (areLong ? 5 * longest : 0);
    shape.xaxis = {side: "top", automargin: true, tickangle: areLong ? -40 : 0, showgrid: false};
    shape.yaxis = {autorange: "reversed", automargin: true, showgrid: false};
    Plotly.newPlot(area, [{
      type: "heatmap", x: heatmap.columns, y: heatmap.rows, z: heatmap.values, xgap: 1, ygap: 1,
      zmin: -heatmap.reach, zmax: heatmap.reach, texttemplate: "%{z:.2f}", hoverongaps: false,
      colorscale: [[0, "#c0563b"], [0.5, "#f4f4f0"], [1, "#2b7bba"]],
      hovertemplate: "%{y}<br>%{x}<br>%{z:+.3f}<extra></extra>",
    }], shape, {responsive: true, displayModeBar: false});
  };

  // A figure is drawn when it is about to be seen, and at the latest before it is printed.
  const waiting = new Map([...document.querySelectorAll(".heatmap")].map((area, k) => [area, content.heatmaps[k]]));
  const drawOnce = area => {
    if (!waiting.has(area)) return;
    const heatmap = waiting.get(area);
    waiting.delete(area);
    drawHeatmap(area, heatmap);
  };
  const watcher = new IntersectionObserver(seen => seen.forEach(one => one.isIntersecting && drawOnce(one.target)),
    {rootMargin: "300px"});
  waiting.forEach((_, area) => watcher.observe(area));
  addEventListener("beforeprint", () => [...waiting.keys()].forEach(drawOnce));

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

  [chosenEstimator, chosenTruth, chosenAxes].forEach(control => control.addEventListener("change", drawPoints));
  element("keep").addEventListener("click", keepWanted);
  element("wanted").addEventListener("keydown", event => { if (event.key === "Enter") keepWanted(); });
  drawPointsSomehow().then(() => {
    points.on("plotly_click", event => keep(drawn[event.points[0].pointNumber]));
    document.documentElement.dataset.drawnAfter = String(Math.round(performance.now()));
  });
})();
