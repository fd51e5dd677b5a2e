"""What both results came to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lnas.pipeline.comparing.picks import match_picks, pick_table, pick_verdicts, read_picks
from lnas.pipeline.comparing.source import open_source
from lnas.pipeline.retraining.predictions import Predictions, write_predictions
from lnas.pipeline.retraining.training import weights_folder
from lnas.spaces import NatsTopologySpace
from lnas.stats import welch_interval
from lnas.types import Arch

ONE, OTHER = Arch("nats_topology", (3, 1, 2, 0, 4, 3)), Arch("nats_topology", (1, 1, 1, 1, 1, 1))


def picked(folder: Path) -> dict:
    return dict(read_picks(open_source("a", str(folder))))


def test_several_trainings_are_compared_by_welch(trained: Callable[..., Path]) -> None:
    a = picked(trained("a", winner=(ONE, [0.90, 0.92]), lowest=(OTHER, [0.5, 0.5])))
    b = picked(trained("b", winner=(OTHER, [0.94, 0.95, 0.96]), random=(ONE, [0.7, 0.7, 0.7])))
    (matched,) = match_picks(a, b)
    assert matched.name == "winner"
    table = pick_table([matched], NatsTopologySpace(), "", {})
    cells = {column.name: column.cells[0] for column in table.columns}
    assert cells["ahead"] == pytest.approx((4.0, *welch_interval([94.0, 95.0, 96.0], [90.0, 92.0])))
    assert cells["interval"] == "over 2 and 3 trainings"
    assert cells["same"] == "no"


def test_single_trainings_are_compared_image_by_image(trained: Callable[..., Path]) -> None:
    folders = trained("a", winner=(ONE, [0.5])), trained("b", winner=(ONE, [1.0]))
    labels = np.arange(100) % 2
    for folder, predicted in zip(folders, (np.zeros(100, dtype=np.int64), labels), strict=True):
        weights = weights_folder(folder, ONE, 5)
        write_predictions(weights, Predictions(labels, predicted, np.ones(100, dtype=np.float32)))
    matched = match_picks(*map(picked, folders))
    (said,) = pick_verdicts(matched).values()
    spread = 1.9842 * 100 * 0.5 * np.sqrt(100 / 99) / 10  # t of 99 degrees; half of the images are gained
    assert (
        said
        == f"B reaches more: B less A is +50.00 [{50 - spread:+.2f}, {50 + spread:+.2f}] points over 100 test images"
    )


def test_other_test_images_are_not_paired_though_they_are_as_many(trained: Callable[..., Path]) -> None:
    folders = trained("a", winner=(ONE, [0.5])), trained("b", winner=(ONE, [1.0]))
    for folder, labels in zip(folders, (np.arange(100) % 2, np.arange(100) % 3), strict=True):
        write_predictions(weights_folder(folder, ONE, 5), Predictions(labels, labels, np.ones(100, dtype=np.float32)))
    (said,) = pick_verdicts(match_picks(*map(picked, folders))).values()
    assert said == "B less A is +50.00 points, and no interval is defined"


def test_the_same_trainings_are_no_undecided_difference(trained: Callable[..., Path]) -> None:
    a, b = (picked(trained(name, winner=(ONE, [0.5, 0.7]))) for name in "ab")
    assert pick_verdicts(match_picks(a, b)) == {"winner": "same accuracies over 2 and 2 trainings"}


def test_without_predictions_a_single_training_has_no_interval(trained: Callable[..., Path]) -> None:
    matched = match_picks(*(picked(trained(name, winner=(ONE, [own]))) for name, own in (("a", 0.5), ("b", 0.6))))
    assert pick_verdicts(matched) == {"winner": "B less A is +10.00 points, and no interval is defined"}
