"""The page of `lnas retrain`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lnas.data import ImageData, SplitName
from lnas.pipeline.reasons import reason
from lnas.pipeline.retraining.predictions import Predictions, prediction_figures
from lnas.pipeline.retraining.training import Retrained
from lnas.pipeline.truth import Truth
from lnas.report.line_chart import LineChart, Series, draw_line_chart
from lnas.report.study import StudyReport
from lnas.report.table import Column, ResultTable, WithInterval
from lnas.spaces import SearchSpace
from lnas.spaces.drawing import Svg
from lnas.types import Arch

_FIRST = ("val_acc", "val_loss", "train_loss")
_ACCURACY, _LOSS = "{:.2f}", "{:.4f}"


class Training(NamedTuple):
    """A training that is over.

    Attributes:
        arch: What was trained.
        seed: With which seed.
        result: What it came to.
        predictions: What it says of the test images; None of one that diverged.
    """

    arch: Arch
    seed: int
    result: Retrained
    predictions: Predictions | None

    @property
    def failure(self) -> str | None:
        """Why it came to nothing, if so."""
        tested = self.result.estimates["test_acc"]
        return None if tested.status == "ok" else reason(tested)


def retraining_report(
    title: str,
    space: SearchSpace,
    trainings: Sequence[Training],
    data: ImageData,
    settings: Mapping[str, Any],
    truth: Truth | None,
    replay: str,
) -> StudyReport:
    """Collect what the page shows.

    Args:
        title: Of the page.
        space: Of the architectures.
        trainings: In the order of the page.
        data: What they were trained and tested on.
        settings: What decided the numbers.
        truth: A benchmark's accuracies to stand beside.
        replay: How to make it again.
    """
    cells = {space.label(arch): space.draw(arch) for arch in dict.fromkeys(one.arch for one in trainings)}
    images = {name: len(split) for name, split in data.splits.items()}
    facts = {
        "Trainings": f"{len(trainings)}, of {len(cells)} architecture{'s' if len(cells) > 1 else ''}",
        "Images": ", ".join(f"{count:,} {split}" for split, count in images.items()),
        "Time": f"{sum(value for one in trainings for _, value in one.result.curves.get('seconds', ())):,.0f} s of "
        "training and validation",
    }
    sections = {"What was trained": cells, "Along the training": _curves(space, trainings, truth)}
    for number, one in enumerate(trainings, start=1):
        if one.predictions is not None:
            label = f" of training {number}" if len(trainings) > 1 else ""
            sections[f"On the test images: {_named(space, one)}"] = prediction_figures(label, one.predictions, data)
    table = results_table(space, trainings, images, truth)
    return StudyReport(title, facts, [table], {}, replay, {"settings": json.dumps(settings, indent=1)}, sections)


def results_table(
    space: SearchSpace, trainings: Sequence[Training], images: Mapping[SplitName, int], truth: Truth | None
) -> ResultTable:
    """Say what each training reached: in the end, at its best, and on the test images."""
    estimates = [_values(one.result) for one in trainings]
    tested = [_share(own.get("test_acc"), images["test"]) for own in estimates]
    best = [_best(one.result) for one in trainings]
    columns = [
        Column("training", "no.", list(range(1, len(trainings) + 1))),
        Column("seed", "seed", [one.seed for one in trainings]),
        Column("test_acc", "test, top-1 %", tested, _ACCURACY),
        Column("test_acc5", "test, top-5 %", [_percent(own.get("test_acc5")) for own in estimates], _ACCURACY),
        Column("test_loss", "test loss", [own.get("test_loss") for own in estimates], _LOSS),
        Column("val_acc", "val, last epoch %", [_percent(own.get("val_acc")) for own in estimates], _ACCURACY),
        Column("best_val_acc", "val, best epoch %", [_percent(value) for _, value in best], _ACCURACY),
        Column("best_epoch", "best epoch", [epoch for epoch, _ in best]),
    ]
    notes = [
        "Test accuracy is that of the last epoch's weights, on images that this training has not looked at before, "
        f"with the 95 % interval that {images['test']:,} images leave (Wilson); it does not know how trainings with "
        "other seeds differ.",
    ]
    if any(epoch for epoch, _ in best):
        notes.append("The best epoch was chosen on the held-out images, so its accuracy there is a little too high.")
    notes += [f"{_named(space, one)}: {one.failure}" for one in trainings if one.failure]
    if truth is not None:
        recorded = truth.accuracies([one.arch for one in trainings], space)
        columns.append(Column("benchmark", truth.key, recorded, _ACCURACY))
    columns.append(Column("arch", "architecture", [space.format(one.arch) for one in trainings]))
    shown = [column for column in columns if any(cell is not None for cell in column.cells)]
    return ResultTable("results", "What the trainings came to", shown, notes)


def _curves(space: SearchSpace, trainings: Sequence[Training], truth: Truth | None) -> dict[str, Svg]:
    drawn = {}
    label = partial(_named, space) if len({one.arch for one in trainings}) > 1 else _seeded
    there = dict.fromkeys(name for one in trainings for name in one.result.curves)
    for name in [*(name for name in _FIRST if name in there), *sorted(there.keys() - {*_FIRST})]:
        is_accuracy = "_acc" in name
        scale = 100 if is_accuracy else 1
        series = [
            Series(
                label(one),
                [epoch for epoch, _ in points],
                [scale * value for _, value in points],
            )
            for one in trainings
            if (points := one.result.curves.get(name))
        ]
        if name == "val_acc" and truth is not None:
            series += _recorded(space, trainings, truth)
        unit = "%" if is_accuracy else "s" if name == "seconds" else name.rpartition("_")[2]
        drawn[name] = draw_line_chart(LineChart(name, "epoch", unit, series, form="{:.4g}"))
    return drawn


def _recorded(space: SearchSpace, trainings: Sequence[Training], truth: Truth) -> Iterator[Series]:
    """Yield the learning curves that the benchmark has of the same architectures."""
    archs = dict.fromkeys(one.arch for one in trainings)
    for arch in archs:
        for key, curve in truth.curves(arch, space).items():
            known = np.flatnonzero(np.isfinite(curve))
            whose = f"{space.label(arch)}, " if len(archs) > 1 else ""
            yield Series(f"{whose}{key}", (known + 1).tolist(), curve[known].tolist())


def _named(space: SearchSpace, one: Training) -> str:
    return f"{space.label(one.arch)}, {_seeded(one)}"


def _seeded(one: Training) -> str:
    return f"seed {one.seed}"


def _values(result: Retrained) -> dict[str, float | None]:
    return {name: item.value if item.status == "ok" else None for name, item in result.estimates.items()}


def _best(result: Retrained) -> tuple[int | None, float | None]:
    """Return the epoch of the highest validation accuracy, the first of several, and that accuracy."""
    points = result.curves.get("val_acc", ())
    return max(points, key=lambda point: (point[1], -point[0])) if points else (None, None)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _share(accuracy: float | None, images: int) -> WithInterval | None:
    if accuracy is None:
        return None
    from scipy.stats import binomtest

    low, high = binomtest(round(accuracy * images), images).proportion_ci(method="wilson")
    return WithInterval(100 * accuracy, 100 * low, 100 * high)
