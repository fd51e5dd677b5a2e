from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.report.legend import Entry, Head, draw_head, wrapped

LEFT, WIDTH = 50, 400
LABELS = st.text(st.characters(categories=("L", "N", "P", "Zs")), max_size=150)


def mark(left: float, middle: float) -> str:
    return f'<path d="{left} {middle}"/>'


def head_of(labels: list[str], name: str = "accuracy") -> Head:
    return draw_head(name, [Entry(label, mark, 20) for label in labels], LEFT, WIDTH)


def places(drawn: str) -> tuple[list[float], list[tuple[float, float, str]]]:
    """The mark of an entry, and its lines of text."""
    root = ElementTree.fromstring(f"<svg>{drawn}</svg>")
    lines = [(float(item.get("x", "nan")), float(item.get("y", "nan")), item.text or "") for item in root.iter("text")]
    return [float(number) for number in root.find("path").get("d").split()], lines  # type: ignore[union-attr]


def test_entries_stand_side_by_side_while_there_is_room() -> None:
    head = head_of(["a" * 10, "b" * 20, "c" * 20])
    marks, lines = zip(*map(places, head.legend), strict=True)
    assert marks == ([50, 30], [50 + 20 + 6 + 70 + 18, 30], [50, 47])
    assert [line for ((*_, line),) in lines] == ["a" * 10, "b" * 20, "c" * 20]
    assert [(x, y) for ((x, y, _),) in lines] == [(76, 34), (190, 34), (76, 51)]
    assert head.height == 46 + 17


def test_what_is_too_long_goes_on_below() -> None:
    head = head_of(["word " * 20, "next"], "name " * 20)
    (_, lines), ((_, middle), ((*_, last),)) = map(places, head.legend)
    assert [len(text) for *_, text in lines] == [49, 49]
    assert [y for _, y, _ in lines] == [51, 68]
    assert (middle, last) == (81, "next")
    assert [y for _, y, _ in places(head.name + mark(0, 0))[1]] == [16, 33]
    assert head.height == 46 + 17 + 2 * 17


@settings(deadline=None, max_examples=25)
@given(LABELS, st.integers(7, 600))
def test_lines_are_no_longer_than_their_room_and_hold_the_text(content: str, room: int) -> None:
    lines = wrapped(content, room)
    assert lines
    assert max(7 * len(line) for line in lines) <= room
    assert "".join("".join(lines).split()) == "".join(content.split())
