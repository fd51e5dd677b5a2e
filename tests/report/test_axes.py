from __future__ import annotations

import math
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lnas.report.axes import Axis, Frame, Tick, log_axis, round_step, rounded_axis, tight_axis

WIDTH = 620
VALUES = st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-6)
POSITIVE = st.floats(1e-12, 1e12)


def labels(axis: Axis) -> list[str]:
    return [tick.label for tick in axis.ticks]


def read(label: str) -> float:
    return float(label.replace(",", ""))


def check_ticks(axis: Axis) -> None:
    """Ticks ascend within the axis, and their labels are their values."""
    slack = 1e-6 * (axis.high - axis.low)
    values = [tick.value for tick in axis.ticks]
    assert values == sorted(set(values))
    assert axis.low - slack <= values[0]
    assert values[-1] <= axis.high + slack
    for value, label in axis.ticks:
        assert read(label) == pytest.approx(value, rel=1e-5, abs=slack)


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-100, 1e100))
def test_a_step_is_the_next_round_one(rough: float) -> None:
    step = round_step(rough)
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - factor) for factor in (1, 2, 5)) < 1e-6
    assert rough * (1 - 1e-6) <= step < 2.5 * rough * (1 + 1e-6)


@settings(deadline=None, max_examples=25)
@given(VALUES, VALUES)
def test_a_rounded_axis_holds_its_values_between_its_outer_ticks(one: float, other: float) -> None:
    low, high = sorted([one, other])
    axis = rounded_axis(low, high)
    check_ticks(axis)
    assert axis.low <= low + 1e-9 * abs(low)
    assert axis.high >= high - 1e-9 * abs(high)
    assert 2 <= len(axis.ticks) <= 8
    assert (axis.ticks[0].value, axis.ticks[-1].value) == (axis.low, axis.high)
    if not math.isclose(low, high, rel_tol=1e-6):
        assert len(set(labels(axis))) == len(axis.ticks)


@settings(deadline=None, max_examples=25)
@given(VALUES, VALUES)
def test_a_tight_axis_ends_with_its_values(one: float, other: float) -> None:
    low, high = sorted([one, other])
    assume(not math.isclose(low, high))
    axis = tight_axis(low, high)
    assert (axis.low, axis.high) == (low, high)
    assert 2 <= len(axis.ticks) <= 7
    check_ticks(axis)


@settings(deadline=None, max_examples=50)
@given(POSITIVE, POSITIVE)
def test_labels_of_a_log_axis_have_room(one: float, other: float) -> None:
    low, high = sorted([one, other])
    assume(high > 1.001 * low)
    axis = log_axis(low, high, WIDTH)
    assert (axis.low, axis.high) == (low, high)
    assert 2 <= len(axis.ticks) <= 20
    check_ticks(axis)
    for (value, label), (further, other_label) in pairwise(axis.ticks):
        apart = WIDTH * math.log(further / value) / math.log(high / low)
        assert apart >= 7 * (len(label) + len(other_label)) / 2


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1, 1000, ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1,000"]),
        (2, 50, ["2", "5", "10", "20", "50"]),
        (110, 180, ["120", "140", "160", "180"]),
        (1, 1e6, ["1", "10", "100", "1,000", "10,000", "100,000", "1e+06"]),
        (1, 1e40, ["1", "1,000", *(f"1e+{power:02}" for power in range(6, 40, 3))]),
    ],
)
def test_log_ticks(low: float, high: float, expected: list[str]) -> None:
    assert labels(log_axis(low, high, WIDTH)) == expected


def test_values_that_differ_little_are_written_with_the_digits_that_tell() -> None:
    assert labels(rounded_axis(94.370001, 94.370006))[:2] == ["94.370001", "94.370002"]


@pytest.mark.parametrize(("axis", "around"), [(tight_axis(7, 7), 7), (log_axis(7, 7, WIDTH), 7), (tight_axis(0, 0), 0)])
def test_a_single_value_lies_in_the_middle_with_the_only_tick(axis: Axis, around: float) -> None:
    assert axis.ticks == [Tick(around, str(around))]
    assert axis.distance(axis.low, around) == pytest.approx(axis.length / 2)


@pytest.mark.parametrize(("value", "ends"), [(90, (90, 91)), (90.5, (90, 91)), (0, (0, 1)), (-0.5, (-1, 0))])
def test_a_rounded_axis_of_one_value_is_a_step_long(value: float, ends: tuple[float, float]) -> None:
    axis = rounded_axis(value, value)
    assert (axis.low, axis.high) == ends
    assert len(axis.ticks) == 2


def test_a_frame_places_values_to_the_right_and_upwards() -> None:
    frame = Frame(50, 40, 600, 300, log_axis(1, 100, 600), rounded_axis(80, 90))
    assert [frame.x(value) for value in (1, 10, 100)] == pytest.approx([50, 350, 650])
    assert [frame.y(value) for value in (80, 85, 90)] == pytest.approx([340, 190, 40])
    assert frame.bottom == 340


def test_rulings_are_lines_at_the_ticks_upwards_and_labels_of_both() -> None:
    frame = Frame(50, 40, 600, 300, tight_axis(0, 20), rounded_axis(80, 90))
    root = ElementTree.fromstring(f"<svg>{frame.rulings()}</svg>")
    assert [path.get("d") for path in root.iter("path")] == [
        f"M50 {frame.y(value):g}h600" for value in (80, 82, 84, 86, 88, 90)
    ]
    assert [item.text for item in root.iter("text")] == ["80", "82", "84", "86", "88", "90", "0", "5", "10", "15", "20"]
