"""The page of `lnas retrain`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import binomtest

from lnas.data import SplitName
from lnas.pipeline.retraining.training import Retrained
from lnas.pipeline.truth import Truth
from lnas.report.line_chart import LineChart, Series, draw_line_chart
from lnas.report.study import StudyReport
from lnas.report.table import Column, ResultTable, WithInterval
from lnas.spaces import SearchSpace
from lnas.spaces.drawing import Svg
from lnas.types import Arch

_ACCURACY, _LOSS = "{:.2f}", "{:.4f}"


class Training(NamedTuple):
    """A training that is over.

    Attributes:
        arch: What was trained.
        seed: With which seed.
        result: What it came to.
    """

    arch: Arch
    seed: int
    result: Retrained


def retraining_report(
    title: str,
    space: SearchSpace,
    trainings: Sequence[Training],
    images: Mapping[SplitName, int],
    settings: Mapping[str, Any],
    truth: Truth | None,
    replay: str,
) -> StudyReport:
    """Collect what the page shows.

    Args:
        title: Of the page.
        space: Of the architectures.
        trainings: In the order of the page.
        images: Split -> how many it has.
        settings: What decided the numbers.
        truth: A benchmark's accuracies to stand beside.
        replay: How to make it again.
    """
    cells = {space.label(arch): space.draw(arch) for arch in dict.fromkeys(one.arch for one in trainings)}
    facts = {
        "Trainings": f"{len(trainings)}, of {len(cells)} architecture{'s' if len(cells) > 1 else ''}",
        "Images": ", ".join(f"{count:,} {split}" for split, count in images.items()),
        "Time": f"{sum(value for one in trainings for _, value in one.result.curves.get('seconds', ())):,.0f} s of "
        "training and validation",
    }
    sections = {"What was trained": cells, "Along the training": _curves(space, trainings, truth)}
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
        Column("arch", "architecture", [space.format(one.arch) for one in trainings]),
        Column("seed", "seed", [one.seed for one in trainings]),
        Column("test_acc", "test, top-1 %", tested, _ACCURACY),
        Column("test_acc5", "test, top-5 %", [_percent(own.get("test_acc5")) for own in estimates], _ACCURACY),
        Column("test_loss", "test loss", [own.get("test_loss") for own in estimates], _LOSS),
        Column("val_acc", "val, last epoch %", [_percent(own.get("val_acc")) for own in estimates], _ACCURACY),
        Column("best_val_acc", "val, best epoch %", [_percent(value) for _, value in best], _ACCURACY),
        Column("best_epoch", "best epoch", [epoch for epoch, _ in best]),
    ]
    notes = [
        "Test accuracy is that of the last epoch's weights, on images that nothing before has looked at, with the 95 % "
        f"interval that {images['test']:,} images leave (Wilson); it does not know how trainings with other seeds "
        "differ. The best epoch was chosen on the validation images, so its accuracy there is a little too high.",
    ]
    if truth is not None:
        recorded = truth.accuracies([one.arch for one in trainings], space)
        columns.append(Column("benchmark", truth.key, recorded, _ACCURACY))
    shown = [column for column in columns if any(cell is not None for cell in column.cells)]
    return ResultTable("results", "What the trainings came to", shown, notes)


def _curves(space: SearchSpace, trainings: Sequence[Training], truth: Truth | None) -> dict[str, Svg]:
    drawn = {}
    for name in dict.fromkeys(name for one in trainings for name in one.result.curves):
        is_accuracy = "_acc" in name
        scale = 100 if is_accuracy else 1
        series = [
            Series(
                f"{space.label(one.arch)}, seed {one.seed}",
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
    for arch in dict.fromkeys(one.arch for one in trainings):
        for key, curve in truth.curves(arch, space).items():
            known = np.flatnonzero(np.isfinite(curve))
            yield Series(f"{space.label(arch)}, {key}", (known + 1).tolist(), curve[known].tolist())


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
    low, high = binomtest(round(accuracy * images), images).proportion_ci(method="wilson")
    return WithInterval(100 * accuracy, 100 * low, 100 * high)
