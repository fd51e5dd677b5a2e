from __future__ import annotations

import itertools
import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.report.line_chart import LineChart, Reference, Series, draw_line_chart

SVG = "{http://www.w3.org/2000/svg}"
NAN = math.nan
LABELS = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=120)
# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as normal and as colour-blind readers see it.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def drawn(*series: Series, **options: Any) -> ElementTree.Element:
    return ElementTree.fromstring(draw_line_chart(LineChart("chart", "Evaluations", "accuracy (%)", series, **options)))


def told(root: ElementTree.Element) -> list[tuple[str, ElementTree.Element]]:
    """What bands and lines tell when they are pointed at, and their paths, in the order of drawing."""
    (window,) = root.findall(f"{SVG}svg")
    return [(group.findtext(f"{SVG}title", ""), path) for group in window for path in group.findall(f"{SVG}path")]


def lines(root: ElementTree.Element) -> list[str]:
    return [path.get("d", "") for _, path in told(root) if path.get("fill") == "none"]


def bands(root: ElementTree.Element) -> list[str]:
    return [path.get("d", "") for _, path in told(root) if path.get("fill-opacity")]


def dots(root: ElementTree.Element) -> list[str]:
    return [path.get("d", "") for _, path in told(root) if path.get("stroke-linecap") == "round"]


def legend(root: ElementTree.Element) -> list[str]:
    return [" ".join(item.text or "" for item in group.iter(f"{SVG}text")) for group in root.findall(f"{SVG}g")]


def corners(path: str) -> list[list[tuple[float, float]]]:
    """The places that a path of the commands M, L, H and V runs through, one list for each M."""
    found: list[list[tuple[float, float]]] = []
    for letter, numbers in re.findall(r"([MLHV])([-\d. ]+)", path):
        values = [float(number) for number in numbers.split()]
        if letter == "M":
            found.append([])
        x, y = found[-1][-1] if found[-1] else (NAN, NAN)
        found[-1].append({"H": (values[0], y), "V": (x, values[0])}.get(letter) or (values[0], values[-1]))
    return found


def rules(root: ElementTree.Element) -> dict[float, float]:
    """The heights of the rules by the values beside them."""
    heights = [float(path.get("d", "").split()[1].split("h")[0]) for path in root.findall(f"{SVG}path")]
    values = [float((item.text or "").replace(",", "")) for item in root.findall(f"{SVG}text")[: len(heights)]]
    return dict(zip(values, heights, strict=True))


def text_box(item: ElementTree.Element) -> tuple[float, float, float, float]:
    x, y, width = float(item.get("x", "nan")), float(item.get("y", "nan")), 7 * len(item.text or "")
    left = x - {"start": 0, "middle": width / 2, "end": width}[item.get("text-anchor", "")]
    return left, y - 9, left + width, y + 3


def sample_box(path: ElementTree.Element) -> tuple[float, float, float, float]:
    left, middle, width = map(float, re.findall(r"[\d.]+", path.get("d", "")))
    return left, middle - 1, left + width, middle + 1


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_a_line_leads_through_its_points() -> None:
    root = drawn(Series("a", [0, 5, 10], [80, 90, 85]))
    ((first, second, third),) = corners(*lines(root))
    height = rules(root)
    assert [x for x, _ in (first, second, third)] == [52, 362, 672]
    assert [y for _, y in (first, second, third)] == pytest.approx(
        [height[80], height[90], (height[84] + height[86]) / 2]
    )
    assert bands(root) == dots(root) == []


def test_steps_hold_until_the_next_value() -> None:
    root = drawn(Series("a", [0, 5, 10], [80, 90, 90], [0, 1, NAN], "steps"))
    ((start, held, raised, end),) = corners(*lines(root))
    assert (start[1], raised[1]) == (held[1], end[1]) == (rules(root)[80], rules(root)[90])
    assert [x for x, _ in (start, held, raised, end)] == [52, 362, 362, 672]


def test_equal_ratios_are_equal_distances_on_a_log_scale() -> None:
    (path,) = corners(*lines(drawn(Series("a", [1, 10, 100], [80, 85, 90]), scale="log")))
    assert [x for x, _ in path] == [52, 362, 672]


def test_a_band_reaches_as_far_as_the_deviation() -> None:
    root = drawn(Series("a", [0, 1, 2], [84, 86, 88], [2, 1, 2]))
    (around,) = corners(*bands(root))
    height = rules(root)
    middle = 0.5 * (height[86] + height[88])
    expected = [(52, height[86]), (362, middle), (672, height[90])]
    expected += [(672, height[86]), (362, 0.5 * (height[84] + height[86])), (52, height[82])]
    assert np.array(around) == pytest.approx(np.array(expected), abs=0.11)
    assert bands(root)[0].endswith("z")


def test_a_band_of_steps_has_steps() -> None:
    (around,) = corners(*bands(drawn(Series("a", [0, 1], [84, 86], [2, 1], "steps"))))
    assert [x for x, _ in around] == [52, 672, 672, 672, 672, 52] or [x for x, _ in around] == [52, 672, 672, 672, 52]
    assert around[0][1] == around[1][1]
    assert around[-1][1] == around[-2][1]


def test_what_is_lacking_is_a_gap_and_a_lone_point_a_dot() -> None:
    means = [80, 81, NAN, 83, NAN, 85, 86]
    root = drawn(Series("a", range(7), means, [1, 1, 1, 1, NAN, 1, NAN]))
    assert [len(run) for run in corners(*lines(root))] == [2, 2]
    (dot,) = dots(root)
    assert dot.count("M") == 1
    assert dot.endswith("h0")
    assert float(dot[1:].split()[0]) == 52 + 310
    assert [len(run) for run in corners(*bands(root))] == [4, 2, 2]  # a band of one point is an upright line


def test_a_single_point_is_a_dot_in_the_frame() -> None:
    root = drawn(Series("a", [3], [92.5]), scale="log")
    assert lines(root) == []
    assert dots(root) == [f"M362 {(rules(root)[92] + rules(root)[93]) / 2:g}h0"]


def test_each_series_tells_its_last_mean_and_deviation() -> None:
    root = drawn(
        Series("<a>", [0, 1, 2], [84, 86.126, NAN], [2, 0.25, NAN]),
        Series("b", [0, 1], [84, 86], [2, NAN]),
        Series("c", [0], [NAN]),
        references=[Reference("best", 94.37)],
    )
    assert {title for title, _ in told(root)} == {"<a>: 86.13 ± 0.25", "b: 86.00", "best 94.37"}
    titles = [group.findtext(f"{SVG}title") for group in root.findall(f"{SVG}g")]
    assert titles == ["<a>: 86.13 ± 0.25", "b: 86.00", "c: no point", "best 94.37"]
    assert legend(root) == ["<a>", "b", "c", "best 94.37"]


def test_bands_lie_below_all_lines() -> None:
    root = drawn(*(Series(label, [0, 1], [84, 86], [2, 1]) for label in "ab"))
    assert [path.get("fill") == "none" for _, path in told(root)] == [False, False, True, True]


def test_a_reference_is_a_line_across_at_its_value() -> None:
    root = drawn(Series("a", [0, 1], [84, 86]), references=[Reference("best", 90), Reference("mean", 82)])
    height = rules(root)
    assert lines(root)[1:] == [f"M52 {height[90]:g}h620", f"M52 {height[82]:g}h620"]
    one, other = (path.get("stroke-dasharray") for _, path in told(root)[1:])
    assert one != other


def test_what_lies_below_the_axis_is_cut_off() -> None:
    series = Series("a", [0, 1, 2], [-1e300, 90, 94], [5, 1, 1])
    assert min(rules(drawn(series))) < 0
    root = drawn(series, up_from=88.5)
    assert (min(rules(root)), max(rules(root))) == (88, 96)
    (window,) = root.findall(f"{SVG}svg")
    _, top, _, height = map(float, window.get("viewBox", "").split())
    assert [window.get(name) for name in ("x", "y", "width", "height")] == window.get("viewBox", "").split()
    bottom = max(rules(root).values())
    assert bottom <= top + height <= bottom + 2
    assert corners(*lines(root))[0][0][1] == 1e5


@settings(deadline=None, max_examples=25)
@given(
    st.lists(LABELS, min_size=1, max_size=13),
    st.lists(LABELS, max_size=3),
    st.tuples(LABELS, LABELS),
    st.lists(st.tuples(st.floats(0.001, 1e7), st.floats(-1e5, 1e5), st.floats(0, 1e3)), min_size=1, max_size=5),
    st.sampled_from(["linear", "log"]),
)
def test_no_text_lies_on_another_or_outside_or_on_a_line_of_the_legend(
    labels, references, names, points, scale
) -> None:
    xs, means, deviations = zip(*sorted(points), strict=True)
    series = [Series(label, xs, means, deviations) for label in labels]
    ruled = [Reference(label, means[0]) for label in references]
    root = ElementTree.fromstring(draw_line_chart(LineChart("chart", *names, series, scale, ruled)))
    boxes = [text_box(item) for item in root.iter(f"{SVG}text") if item.text]
    boxes += [sample_box(path) for group in root.findall(f"{SVG}g") for path in group.findall(f"{SVG}path")]
    _, _, width, height = map(float, root.get("viewBox", "").split())
    top = min(rules(root).values())
    for box in boxes:
        assert min(box[:2]) >= 0
        assert box[2] <= width
        assert box[3] <= height
    for one, other in itertools.combinations(boxes, 2):
        assert apart(one, other), (one, other)
    for group in root.findall(f"{SVG}g"):
        assert all(text_box(item)[3] < top for item in group.iter(f"{SVG}text"))


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 1e4)), min_size=1, max_size=20),
    st.sampled_from(["linear", "steps"]),
)
def test_lines_and_bands_lie_inside_the_frame(points: list[tuple[float, float]], line: Any) -> None:
    means, deviations = zip(*points, strict=True)
    root = drawn(Series("a", range(len(points)), means, deviations, line))
    low, high = min(rules(root).values()), max(rules(root).values())
    places = np.array([place for path in lines(root) + bands(root) for run in corners(path) for place in run])
    assert (places[:, 0] >= 52).all()
    assert (low - 0.2 <= places[:, 1]).all()
    assert (places[:, 1] <= high + 0.2).all()


@pytest.mark.parametrize("lacking", [0, 2], ids=["whole", "every second lacking"])
def test_a_dozen_series_of_thousands_of_points_stay_small(lacking: int) -> None:
    rng = np.random.default_rng(0)
    xs = np.linspace(1, 665405, 1500)
    series = []
    for k in range(12):
        means = 90 + k + rng.normal(0, 1, len(xs))
        if lacking:
            means[::lacking] = NAN
        series.append(Series(f"series {k}", xs.tolist(), means.tolist(), [0.5] * len(xs), "steps"))
    svg = draw_line_chart(LineChart("t", "Seconds", "accuracy (%)", series, up_from=50))
    assert 50_000 < len(svg) < 200_000


def test_thinning_leaves_the_extremes_and_the_ends() -> None:
    xs = np.arange(5001)
    means = 90 + 3 * np.sin(xs / 300)
    means[1234], means[0], means[-1] = 99, 91.5, 92.5
    root = drawn(Series("a", xs.tolist(), means.tolist()))
    (kept,) = corners(*lines(root))
    height = rules(root)
    value = np.interp([y for _, y in kept], sorted(height.values()), sorted(height, reverse=True))
    places = (np.array([x for x, _ in kept]) - 52) / 620 * 5000
    assert len(kept) <= 600
    assert (value.max(), value[0], value[-1]) == pytest.approx((99, 91.5, 92.5), abs=0.05)
    assert places[[0, value.argmax(), -1]] == pytest.approx([0, 1234, 5000], abs=1)
    usual = np.r_[1:1200, 1260:5000]
    assert abs(np.interp(usual, places, value) - means[usual]).max() < 0.15


def linear(color: str) -> np.ndarray:
    values = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB."""
    x, y, z = np.cbrt(XYZ @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_a_dozen_series_look_different_to_all_readers_on_all_pages() -> None:
    root = drawn(*(Series(f"{k}", [0, 1], [k, k + 1]) for k in range(24)))
    looks = [(path.get("stroke", ""), path.get("stroke-dasharray")) for _, path in told(root)]
    assert len(set(looks)) == 24
    colors = [color for color, dashes in looks if dashes is None]
    assert len(colors) == 6
    for one, other in itertools.combinations(colors, 2):
        for matrix in VISION.values():
            assert np.linalg.norm(lab(matrix @ linear(one)) - lab(matrix @ linear(other))) > 20
    for color, page in itertools.product(colors, ("#fbfcfd", "#14181d")):
        dark, light = sorted(XYZ[1] @ linear(shade) for shade in (color, page))
        assert (light + 0.05) / (dark + 0.05) >= 2.5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"xs": [0]}, "as many means and deviations as xs"),
        ({"deviations": [1]}, "as many means and deviations as xs"),
        ({"xs": [0, NAN]}, "finite xs, got nan"),
        ({"xs": [1, 0]}, r"ascending xs, got \(1.0, 0.0\)"),
        ({"means": [0, math.inf]}, "means that are finite or NaN, got inf"),
        ({"deviations": [0, -1]}, "deviations of 0 or more, got -1.0"),
    ],
)
def test_a_series_is_made_of_fitting_numbers(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Series(**{"label": "a", "xs": [0, 1], "means": [0, 1], **wrong})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": "log"}, "xs > 0 on a log scale, got 0.0"),
        ({"up_from": 1}, "up_from < 1, the highest value, got 1"),
        ({"up_from": NAN}, "up_from < 1, the highest value, got nan"),
        ({"references": [Reference("best", NAN)]}, "a finite reference 'best', got nan"),
        ({"series": [Series("a", [0], [NAN])]}, r"a mean that is a number, got \['a'\]"),
        ({"series": []}, "a mean that is a number"),
    ],
)
def test_a_chart_holds_what_its_axes_can(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LineChart(**{"title": "t", "across": "x", "up": "y", "series": [Series("a", [0, 1], [0, 1])], **options})
