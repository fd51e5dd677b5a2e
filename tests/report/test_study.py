from __future__ import annotations

import re
from dataclasses import replace

from lnas.report.study import StudyReport, render_study
from lnas.report.table import Column, ResultTable, WithInterval
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

DRAWING = NatsTopologySpace().draw(Arch("nats_topology", (3, 0, 1, 0, 0, 2)))
REPORT = StudyReport(
    "lnas study: <sample>",
    {"Pool": "120 architectures"},
    [
        ResultTable(
            "stages",
            "Stages & sizes",
            [Column("m", "measure", ["angle"]), Column("tau", "tau", [WithInterval(0.5, 0.25, 0.75)], "{:+.2f}")],
            ["A note."],
        )
    ],
    {"angle": DRAWING},
    "lnas study out/config.yaml",
    {"as published (0123)": '{"lr": 0.2}'},
)


def test_everything_is_in_the_page_once_and_escaped() -> None:
    page = render_study(REPORT)
    assert "<sample>" not in page
    for text in (
        "<h1>lnas study: &lt;sample&gt;</h1>",
        "<dt>Pool</dt><dd>120 architectures</dd>",
        "<h2>Stages &amp; sizes</h2>",
        "<td>+0.50 [+0.25, +0.75]</td>",
        "A note.",
        str(DRAWING),
        "lnas study out/config.yaml",
        "{&#34;lr&#34;: 0.2}",
    ):
        assert page.count(text) == 1, text


def test_nothing_in_the_page_points_outside_or_runs() -> None:
    page = render_study(REPORT)
    assert set(re.findall(r"(?:src|href|action)=[\"']([^\"']+)", page)) == {"data:,"}
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_sections_follow_the_figures_each_with_its_pictures_side_by_side() -> None:
    other = NatsTopologySpace().draw(Arch("nats_topology", (1, 1, 1, 1, 1, 1)))
    page = render_study(replace(REPORT, sections={"Found <cells>": {"seed 0": DRAWING, "seed 1": other}, "None": {}}))
    section = page.split("<h2>Found &lt;cells&gt;</h2>")[1].split("<h2>")[0]
    (row,) = re.findall(r'<div class="row">(.*?)</div>', section, flags=re.DOTALL)
    assert re.findall(r"<figcaption>(.*?)</figcaption>", row) == ["seed 0", "seed 1"]
    assert str(DRAWING) in row
    assert str(other) in row
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == ["Stages &amp; sizes", "Figures", "Found &lt;cells&gt;", "Replay", "Protocols"]


def test_what_is_empty_has_no_place_on_the_page() -> None:
    page = render_study(StudyReport("title", {}, [], {}, "", {}))
    body = page.split("<body>")[1].split("</body>")[0]
    assert body.split() == ["<h1>title</h1>"]
