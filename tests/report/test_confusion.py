"""The confusion matrix as a picture."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np

from lnas.report.confusion import draw_confusion


def written(svg: str) -> list[str]:
    return [text or "" for text in re.findall(r">([^<>]+)</text>", svg)]


def test_rows_are_written_in_percent_of_their_class() -> None:
    svg = draw_confusion(np.array([[3, 1], [0, 8]]), ["cat", "dog"])
    assert [word for word in written(svg) if word.isdigit()] == ["75", "25", "100"]
    assert ET.fromstring(svg).find("{http://www.w3.org/2000/svg}title").text == "confusion matrix"  # type: ignore[union-attr]


def test_a_class_without_images_divides_nothing_by_zero() -> None:
    assert "nan" not in draw_confusion(np.array([[0, 0], [1, 1]]), ["cat", "dog"])


def test_of_many_classes_the_worst_are_drawn() -> None:
    counts = np.eye(30, dtype=int) * 9 + np.roll(np.eye(30, dtype=int), 1, axis=1)
    counts[7] = np.eye(30, dtype=int)[8] * 10
    words = written(draw_confusion(counts, [f"c{k}" for k in range(30)]))
    assert "c7" in words
    assert sum(bool(re.fullmatch(r"c\d+", word)) for word in words) == 2 * 20
