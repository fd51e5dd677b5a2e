"""The page to look around in, in a real browser: it draws, sorts, filters and keeps, and asks nobody for anything."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lnas.pipeline.scores_study.cells import cell_pictures
from lnas.report.interactive import InteractiveReport, Scatter, render_interactive
from lnas.report.study import StudyReport
from lnas.report.table import Column, ResultTable, WithInterval
from lnas.spaces import NatsTopologySpace
from lnas.spaces.drawing import Svg
from lnas.types import Arch

NAN = float("nan")
# Of the last, the edge out of node 2 comes from nowhere.
CELLS = [Arch("nats_topology", genes) for genes in ((3, 3, 3, 3, 3, 3), (1, 2, 3, 4, 1, 2), (3, 0, 0, 0, 1, 2))]
BROWSERS = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
FLAGS = ["--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1200,900"]
# Run before the page's own scripts; does what a reader does, and writes down what becomes of it.
PROBE = """
const errors = [];
addEventListener("error", event => errors.push(String(event.message)));
addEventListener("unhandledrejection", event => errors.push(String(event.reason)));
addEventListener("securitypolicyviolation", event => errors.push("blocked " + event.blockedURI));
const all = selector => [...document.querySelectorAll(selector)];
const texts = selector => all(selector).filter(item => !item.closest("[hidden]")).map(item => item.textContent);
const waitFor = async isTrue => { while (!isTrue()) await new Promise(resolve => setTimeout(resolve, 20)); };
addEventListener("load", async () => {
  const points = document.getElementById("points");
  const canvas = points.querySelector("canvas");
  const inks = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  const firstSight = {colors: new Set(inks).size, said: document.getElementById("said").textContent};
  await waitFor(() => document.documentElement.dataset.liveAfter);
  const seen = {firstSight, first: points.data[0].y, type: points.data[0].type, across: points.layout.xaxis.title.text};
  seen.unsorted = texts("#taus + div tbody td:first-child");
  const header = all("#taus + div th button")[1];
  header.click();
  seen.descending = texts("#taus + div tbody td:first-child");
  header.click();
  seen.ascending = texts("#taus + div tbody td:first-child");
  all("#shown input")[0].click();
  seen.filtered = texts("#taus + div tbody td:first-child");
  seen.sections = texts("section h2");
  document.getElementById("none").click();
  seen.none = texts("#taus + div tbody td:first-child");
  points.emit("plotly_hover", {points: [{pointNumber: 2}]});
  const dashed = item => Boolean(item.closest("[stroke-dasharray]"));
  seen.drawn = all("#pointed svg > g text").map(item => [item.textContent, dashed(item)]);
  seen.pointed = texts("#pointed span");
  points.emit("plotly_click", {points: [{pointNumber: 1}]});
  document.getElementById("wanted").value = "cell 2";
  document.getElementById("keep").click();
  seen.kept = texts("#kept tbody td.cell span");
  seen.keptDrawings = all("#kept td.cell svg").length;
  all("#kept button")[0].click();
  seen.left = texts("#kept tbody td.cell span");
  const choose = (id, value) => {
    document.getElementById(id).value = value;
    document.getElementById(id).dispatchEvent(new Event("change"));
  };
  choose("estimator", "loss");
  choose("axes", "ranks");
  await waitFor(() => points.layout.xaxis.title.text === "rank by loss");
  seen.ranks = [points.data[0].x, points.data[0].y];
  seen.said = document.getElementById("said").textContent;
  seen.names = all("figure, [role=region], input:not([type=checkbox])").map(item => item.getAttribute("aria-label"));
  seen.requests = performance.getEntriesByType("resource").map(entry => entry.name);
  seen.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  seen.errors = errors;
  const out = document.createElement("pre");
  out.id = "probe";
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
"""


def sample() -> InteractiveReport:
    space = NatsTopologySpace()
    cell = space.draw(next(space.archs()))
    taus = ResultTable(
        "taus",
        "Taus of </script> and <b>",
        [
            Column("estimator", "estimator", ["angle", "loss", "flat"]),
            Column("tau", "tau", [WithInterval(-0.5, -0.6, -0.4), WithInterval(0.25, 0.2, 0.3), None], "{:+.2f}"),
        ],
        ["A note."],
    )
    study = StudyReport(
        "lnas study: <sample>",
        {"Compared": "3 cells"},
        [taus],
        {"P@top": cell},
        "lnas study config.yaml",
        {},
        {"Best by angle": {"best": cell}, "Best by loss": {"best": cell}},
    )
    scatter = Scatter(
        [str(cell) for cell in CELLS],
        ["cell 0", "cell </script> 1", "cell 2"],
        {"test": [90.0, 91.0, 92.0]},
        {"angle": [1.0, NAN, 3.0], "loss": [0.5, 0.25, 0.5]},
        {"angle": True, "loss": False},
        [1e6, 2e6, 3e6],
        "params",
        cell_pictures(space),
    )
    return InteractiveReport(study, scatter, {"Best by angle": "angle", "Best by loss": "loss"})


@pytest.fixture(scope="module")
def page() -> str:
    return render_interactive(sample())


def sha256(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def test_only_the_scripts_of_the_page_may_run(page: str) -> None:
    scripts = re.findall(r'<script(?: type="text/plain" id="plotly")?>(.*?)</script>', page, re.DOTALL)
    policy = page[page.index("Content-Security-Policy") : page.index("<style>")]
    assert len(scripts) == 2
    assert re.findall(r"'sha256-[^']+'", policy) == [sha256(script) for script in scripts]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("style-src")[0]


def test_nothing_in_the_page_points_outside(page: str) -> None:
    own = re.sub(r"<script[ >].*?</script>", "", page, flags=re.DOTALL)
    addresses = set(re.findall(r"(?:src|href|action)=[\"']([^\"']+)", own))
    assert addresses == {"data:,", "#explore", "#taus", "#figures"}


def test_text_is_escaped_and_numbers_sort_by_what_they_are(page: str) -> None:
    assert "lnas study: &lt;sample&gt;" in page
    assert "Taus of &lt;/script&gt; and &lt;b&gt;" in page
    assert '<tr data-estimator="angle"><td>angle</td><td data-number="-0.5">-0.50 [-0.60, -0.40]</td></tr>' in page
    assert '<tr data-estimator="flat"><td>flat</td><td>-</td></tr>' in page


def test_points_survive_as_json_that_closes_no_script(page: str) -> None:
    text = re.search(r'<script type="application/json" id="content">(.*?)</script>', page, re.DOTALL)
    assert text is not None
    content = json.loads(text[1])
    assert content["labels"][1] == "cell </script> 1"
    assert content["estimates"] == {"angle": [1, None, 3], "loss": [0.5, 0.25, 0.5]}


def test_a_picture_that_half_of_the_page_would_shrink_has_all_of_it() -> None:
    drawings = {name: Svg(f'<svg viewBox="0 0 {width} 9"></svg>') for name, width in (("narrow", 700), ("wide", 900))}
    report = sample()
    page = render_interactive(replace(report, study=replace(report.study, figures=drawings)))
    assert '<figure aria-label="wide" class="wide">' in page
    assert '<figure aria-label="narrow">' in page


def test_what_stands_in_the_way_of_the_first_sight_is_text_until_it_is_painted(page: str) -> None:
    """Plotly is 5 MB of script, which takes seconds to begin."""
    executed = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    assert [len(script) < 50_000 for script in executed] == [True]


@pytest.mark.slow
@pytest.mark.skipif(not BROWSERS, reason="no Chromium on this machine")
def test_a_browser_draws_sorts_filters_and_keeps(page: str, tmp_path: Path) -> None:
    seen = probe(page, tmp_path)
    assert seen["errors"] == []
    assert seen["requests"] == []
    assert seen["firstSight"]["colors"] > 3
    assert seen["firstSight"]["said"] == "2 architectures, 1 without a number"
    assert seen["first"] == [90, 91, 92]
    assert seen["pointed"] == ["cell 2"]
    assert seen["drawn"] == [["nor_conv_3x3", False], ["skip_connect", False], ["nor_conv_1x1", True]]
    assert seen["keptDrawings"] == 2
    assert seen["across"] == "angle (high is better)"
    assert seen["unsorted"] == ["angle", "loss", "flat"]
    assert seen["descending"] == ["loss", "angle", "flat"]
    assert seen["ascending"] == ["angle", "loss", "flat"]
    assert seen["filtered"] == ["loss", "flat"]
    assert seen["sections"] == ["Best by loss"]
    assert seen["none"] == ["flat"]
    assert seen["kept"] == ["cell </script> 1", "cell 2"]
    assert seen["left"] == ["cell 2"]
    assert seen["ranks"] == [[2.5, 1, 2.5], [3, 2, 1]]
    assert seen["said"].startswith("3 architectures")
    assert all(seen["names"])
    assert seen["overflow"] <= 0


@pytest.mark.slow
@pytest.mark.skipif(not BROWSERS, reason="no Chromium on this machine")
def test_the_probe_sees_a_request(page: str, tmp_path: Path) -> None:
    broken = page.replace("</body>", "<img src='http://127.0.0.1:9/x.png'></body>")
    assert "blocked http://127.0.0.1:9/x.png" in probe(broken, tmp_path)["errors"]


def probe(page: str, folder: Path) -> dict[str, Any]:
    allowed = page.replace("script-src ", f"script-src {sha256(PROBE)} ", 1)
    file = folder / "report.html"
    file.write_text(allowed.replace("</head>", f"<script>{PROBE}</script></head>", 1))
    command = [BROWSERS[0], *FLAGS, f"--user-data-dir={folder / 'profile'}", "--timeout=60000"]
    command += ["--virtual-time-budget=20000", "--dump-dom", file.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[-2000:]
    return json.loads(html.unescape(found.group(1)))
