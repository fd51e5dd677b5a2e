"""What both results came to: the architectures they picked, and what those reached when they were trained in full."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np

from lnas.analysis.paired_means import paired_mean_interval
from lnas.pipeline.comparing.source import Source
from lnas.pipeline.retraining.predictions import Predictions, read_predictions
from lnas.pipeline.retraining.training import weights_folder
from lnas.report.table import Cell, Column, ResultTable, WithDeviation, WithInterval
from lnas.spaces import SearchSpace
from lnas.stats import welch_interval
from lnas.store import Store
from lnas.types import Arch

_PERCENT, _SIGNED = "{:.2f}", "{:+.2f}"
_SEVERAL = 2
_BY_ARCH = "retrain"
"""The command whose roles are numbers only: its picks are told apart by their architectures."""
_BY_SEED = "search"
"""The command whose picks are answers, which are compared as such."""


class Picked(NamedTuple):
    """An architecture that a result came to.

    Attributes:
        arch: Which.
        reached: Test accuracy in percent of each full training, by seed; those that diverged not.
        predictions: Of the same trainings, what they say of each test image, where that was kept.
    """

    arch: Arch
    reached: Mapping[int, float]
    predictions: Mapping[int, Predictions]

    @property
    def spread(self) -> WithDeviation | None:
        """What its trainings reached on average, and how far they are apart."""
        return WithDeviation.of(np.array(list(self.reached.values())))


class Matched(NamedTuple):
    """A pick of A beside the one of B that it is compared with."""

    name: str
    a: Picked
    b: Picked


def read_picks(source: Source) -> dict[str, Picked]:
    """Return what a result came to by role; of full trainings alone by architecture."""
    if source.store is None or source.record is None or source.command == _BY_SEED:
        return {}
    settings = source.record.settings
    protocol, first = settings.get("retraining"), settings.get("seed", 0)
    seeds = range(first, first + settings.get("repeats", 0)) if protocol else range(0)
    picked = {}
    with closing(Store(source.store)) as store:
        for role, arch in store.picks(source.command):
            reached, said = {}, {}
            for seed in seeds:
                accuracy = store.estimates(protocol, arch, seed).get("test_acc")
                if accuracy is not None and accuracy.status == "ok":
                    reached[seed] = 100 * accuracy.value
                    predictions = read_predictions(weights_folder(source.folder, arch, seed))
                    if predictions is not None:
                        said[seed] = predictions
            name = str(arch) if source.command == _BY_ARCH else role
            picked[name] = Picked(arch, reached, said)
    return picked


def match_picks(a: Mapping[str, Picked], b: Mapping[str, Picked]) -> list[Matched]:
    """Pair up picks of the same role or architecture or, where either result has but one, these."""
    same = [Matched(name, a[name], b[name]) for name in a if name in b]
    if same or not len(a) == len(b) == 1:
        return same
    (one, own), (other, others) = next(iter(a.items())), next(iter(b.items()))
    return [Matched(f"{one} / {other}", own, others)]


def pick_table(matched: Sequence[Matched], space: SearchSpace, key: str, truth: Mapping[Arch, float]) -> ResultTable:
    """Say what each came to, and what that reached."""
    ahead = [_ahead(each) for each in matched]
    columns = [
        Column("pick", "picked as", [each.name for each in matched]),
        Column("same", "same", ["yes" if each.a.arch == each.b.arch else "no" for each in matched]),
        Column("test_a", "test accuracy of A (%)", [each.a.spread for each in matched], _PERCENT),
        Column("test_b", "test accuracy of B (%)", [each.b.spread for each in matched], _PERCENT),
        Column("ahead", "B - A (points)", [value for value, _ in ahead], _SIGNED),
        Column("interval", "interval", [how for _, how in ahead]),
    ]
    if truth:
        columns += [
            Column("truth_a", f"A by {key}", [truth.get(each.a.arch) for each in matched], _PERCENT),
            Column("truth_b", f"B by {key}", [truth.get(each.b.arch) for each in matched], _PERCENT),
        ]
    columns += [
        Column("arch_a", "architecture of A", [space.label(each.a.arch) for each in matched]),
        Column("arch_b", "architecture of B", [space.label(each.b.arch) for each in matched]),
    ]
    shown = [column for column in columns if any(cell not in (None, "") for cell in column.cells)]
    notes = [
        "Test accuracy: mean ± standard deviation over trainings in full. In brackets 95 % intervals: Welch's over the "
        "trainings where either has several; of single ones Student's over the test images, paired, which knows the "
        "choice of the images only, not how trainings with other seeds differ."
    ]
    return ResultTable("picks", "What they came to", shown, notes if any(each.a.reached for each in matched) else [])


def pick_verdicts(matched: Sequence[Matched]) -> dict[str, str]:
    """Say in a sentence of each pick that was trained in full which reaches more."""
    return {each.name: _verdict(each) for each in matched if each.a.reached and each.b.reached}


def _verdict(each: Matched) -> str:
    ahead, how = _ahead(each)
    assert isinstance(ahead, WithInterval)
    if each.a.reached == each.b.reached:
        return f"same accuracies {how}"
    if math.isnan(ahead.low):
        return f"B less A is {ahead.value:+.2f} points, and no interval is defined"
    written = f"{ahead.value:+.2f} [{ahead.low:+.2f}, {ahead.high:+.2f}] points {how}"
    if ahead.low > 0 or ahead.high < 0:
        return f"{'B' if ahead.value > 0 else 'A'} reaches more: B less A is {written}"
    return f"no difference that these trainings can show: B less A is {written}"


def _ahead(each: Matched) -> tuple[Cell, str]:
    """Return how far B is ahead with its interval, and over what that is."""
    a, b = (list(own.reached.values()) for own in (each.a, each.b))
    if not a or not b:
        return None, ""
    value = float(np.mean(b) - np.mean(a))
    if min(len(a), len(b)) >= _SEVERAL:
        return WithInterval(value, *welch_interval(b, a)), f"over {len(a)} and {len(b)} trainings"
    one, other = (next(iter(own.predictions.values()), None) for own in (each.a, each.b))
    if len(a) == len(b) == 1 and one and other and np.array_equal(one.labels, other.labels):
        low, high = paired_mean_interval(100.0 * other.right, 100.0 * one.right)
        return WithInterval(value, low, high), f"over {len(one.labels):,} test images"
    return WithInterval(value, float("nan"), float("nan")), "none for a single training"
