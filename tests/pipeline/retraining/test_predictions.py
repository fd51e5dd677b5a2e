"""What a test pass said of each image."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnas.data import DigitsData
from lnas.pipeline.retraining.predictions import (
    Predictions,
    confusion,
    prediction_figures,
    read_predictions,
    write_predictions,
)

SAID = Predictions(np.array([0, 1, 2, 2]), np.array([0, 2, 1, 2]), np.array([0.9, 0.6, 0.8, 0.7], np.float32))


def test_mistakes_come_with_the_most_confident_first() -> None:
    assert SAID.mistakes.tolist() == [2, 1]


def test_the_file_holds_them_as_they_were(tmp_path: Path) -> None:
    assert read_predictions(tmp_path) is None
    write_predictions(tmp_path, SAID)
    read = read_predictions(tmp_path)
    assert read is not None
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(SAID, read, strict=True))


def test_confusion_counts_rows_of_what_images_are() -> None:
    assert confusion(SAID, ["a", "b", "c"]).tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 1]]


def test_a_network_without_mistakes_shows_none() -> None:
    data = DigitsData()
    labels = data.splits["test"].labels
    right = Predictions(labels, labels, np.ones(len(labels), np.float32))
    assert list(prediction_figures(" of 1", right, data)) == ["confusion of 1"]
