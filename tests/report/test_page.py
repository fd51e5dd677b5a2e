"""The report in a real browser: it draws, it breaks nothing, and it asks nobody for anything."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lnas.report import Agreement, RankedCandidate, RetrainedPick, RunReport, TruthComparison, percent
from lnas.report.page import render_page
from lnas.spaces import NatsTopologySpace

BROWSERS = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--virtual-time-budget=10000",
    "--window-size=1200,900",
]
# Run after the page's own scripts: what it drew, what it fetched, what went wrong.
PROBE = """<script>
const errors = [];
addEventListener("error", event => errors.push(String(event.message)));
addEventListener("securitypolicyviolation", event => errors.push("blocked " + event.blockedURI));
addEventListener("load", () => setTimeout(() => {
  const out = document.createElement("pre");
  out.id = "probe";
  out.textContent = JSON.stringify({
    errors,
    requests: performance.getEntriesByType("resource").map(entry => entry.name),
    plots: document.querySelectorAll(".js-plotly-plot").length,
    points: document.querySelectorAll(".scatterlayer path.point").length,
    lines: document.querySelectorAll(".scatterlayer path.js-line").length,
    cells: document.querySelectorAll("section svg[role=img]").length,
    names: [...document.querySelectorAll("figure, section")].map(item => item.getAttribute("aria-label")),
    clipped: [...document.querySelectorAll("figure")].filter(figure =>
      figure.querySelector(".main-svg").getBoundingClientRect().right > figure.getBoundingClientRect().right).length,
    rows: document.querySelectorAll("tbody tr").length,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  });
  document.body.append(out);
}, 500));
</script>"""

SPACE = NatsTopologySpace()
ARCHS = [
    "|nor_conv_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_3x3~2|",
    "|nor_conv_3x3~0|+|none~0|none~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
]


def sample_report() -> RunReport:
    roles = [["winner"], ["random"], ["lowest"]]
    values: list[dict[str, float | None]] = [
        {"angle": 0.4, "loss": 0.01, "params": 70000.0},
        {"angle": 0.5, "loss": 0.02, "params": 50000.0},
        {"angle": None, "loss": 2.3, "params": 7000.0},
    ]
    ranking = [
        RankedCandidate(
            i + 1, ARCHS[i], 3.0 * (i + 1), values[i], roles[i], 0.9 - i / 10, [2.3, 1.0, None, 0.1], 60.0 + i
        )
        for i in range(3)
    ]
    curves = {"val_acc": [(1, 0.5), (2, 0.8)], "train_loss": [(1, 2.0), (2, 1.0)]}
    picks = [
        RetrainedPick(roles[i][0], ARCHS[i], SPACE.draw(SPACE.parse(ARCHS[i])), i + 1, [0.9 - i / 10], [curves])
        for i in range(3)
    ]
    return RunReport(
        "lnas run: <sample>",
        "The winner wins.",
        "angle+loss+params",
        ranking,
        picks,
        ["1 of 3 candidates have no finite angle; they share its last ranks."],
        {"space": "nats_topology", "estimators": [{"class": "ShortTrainingProtocol", "lr": 0.2}]},
        {"versions": {"lnas": "0"}},
        "lnas run --config sample/config.yaml",
        {"retraining": 1.5},
        TruthComparison("digits-1.0/digits/test@8/mean", [Agreement("sum of ranks", 0.5)], 3),
    )


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(sample_report())


def test_text_is_escaped_and_complete(page: str) -> None:
    assert "lnas run: &lt;sample&gt;" in page
    assert "<sample>" not in page
    for text in ("The winner wins.", "lnas run --config sample/config.yaml", "lr: 0.2", "lnas: 0", *ARCHS):
        assert html.escape(text) in page or text in page


def test_benchmark_is_beside_the_ranking(page: str) -> None:
    assert "Kendall&#39;s tau with digits-1.0/digits/test@8/mean over 3 candidates: sum of ranks +0.50." in page
    assert "<th>benchmark</th>" in page
    assert "<td>61.00 %</td>" in page


def test_a_race_says_how_far_each_candidate_got(page: str) -> None:
    report = sample_report()
    rows = [replace(row, steps=steps) for row, steps in zip(report.ranking, (50, 25, 12), strict=True)]
    race = render_page(replace(report, ranking=rows))
    assert "<th>steps</th>" in race
    assert [int(steps) for steps in re.findall(r"</span></td>\n<td>(\d+)</td><td>", race)] == [50, 25, 12]
    for words in (
        "Place in the race (left is better)",
        "place in the race %{x}",
        "no. 2, 25 steps:",
        "This was a race:",
    ):
        assert words in race
        assert words not in page
    assert "Sum of ranks (left is better)" in page
    assert "Sum of ranks (left is better)" not in race


def test_nothing_in_the_page_points_outside(page: str) -> None:
    own = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    addresses = set(re.findall(r"(?:src|href|action)=[\"']([^\"']+)", own))
    assert addresses == {"data:,"}
    assert "default-src 'none'" in page


@pytest.mark.skipif(not BROWSERS, reason="no Chromium on this machine")
def test_a_browser_draws_it_without_errors_or_requests(page: str, tmp_path: Path) -> None:
    seen = probe(page, tmp_path)
    assert seen["errors"] == []
    assert seen["requests"] == []
    assert seen["plots"] == 5
    # Accuracies; all candidates against the benchmark, and their rings; those with finite measures, and theirs.
    assert seen["points"] == 3 + (3 + 3) + (2 + 2)
    assert seen["lines"] == 3 * 2 + 3  # the gap in a loss curve splits it; validation curves
    assert seen["cells"] == 3
    assert seen["rows"] == 3
    assert seen["clipped"] == 0
    assert seen["overflow"] <= 0
    assert set(seen["names"]) >= {"winner", "Retraining", "Short trainings", "Ranking against accuracy"}


@pytest.mark.skipif(not BROWSERS, reason="no Chromium on this machine")
def test_the_probe_sees_a_request_and_an_error(page: str, tmp_path: Path) -> None:
    broken = page.replace("</body>", "<img src='http://127.0.0.1:9/x.png'><script>nothing()</script></body>")
    errors = " ".join(probe(broken, tmp_path)["errors"])
    assert "nothing is not defined" in errors
    assert "blocked http://127.0.0.1:9/x.png" in errors


def probe(page: str, folder: Path) -> dict[str, Any]:
    file = folder / "report.html"
    file.write_text(page.replace("<script>", PROBE + "<script>", 1))
    command = [BROWSERS[0], *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", file.as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom, re.DOTALL)
    assert found, dom[-2000:]
    return json.loads(html.unescape(found.group(1)))


def test_percent_of_several_gives_mean_and_sample_deviation() -> None:
    assert percent([0.5]) == "50.00 %"
    assert percent([0.90, 0.92, 0.94]) == "92.00 ± 2.00 % (n = 3)"
