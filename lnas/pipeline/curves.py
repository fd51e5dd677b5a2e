"""The curves of all candidates of a search as one table: a search is one W&B run, however many candidates it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lnas.pipeline.tracking import Tracker
from lnas.types import Trial


def track_curves(tracker: Tracker, trials: Sequence[Trial]) -> None:
    """Log a table `curves` with a row for each candidate and step; nothing where no measure has curves."""
    curves = [_curves(trial) for trial in trials]
    names = list(dict.fromkeys(name for own in curves for name in own))
    if names:
        tracker.table("curves", ["candidate", "arch", "step", *names], _rows(trials, curves, names))


def _rows(
    trials: Sequence[Trial], curves: Sequence[Mapping[str, Sequence[float | None]]], names: Sequence[str]
) -> list[list[Any]]:
    return [
        [number, str(trial.arch), step + 1, *(_point(own.get(name, ()), step) for name in names)]
        for number, (trial, own) in enumerate(zip(trials, curves, strict=True))
        for step in range(max(map(len, own.values()), default=0))
    ]


def _curves(trial: Trial) -> dict[str, Sequence[float | None]]:
    """Return the curves of all measures; those of one name are the same curve."""
    return {
        name: curve
        for estimate in trial.estimates.values()
        for name, curve in estimate.detail.get("curves", {}).items()
    }


def _point(curve: Sequence[float | None], step: int) -> float | None:
    return curve[step] if step < len(curve) else None
