"""How far estimators vary that were repeated by other seeds or on other batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lnas.analysis.repeat_variance import RepeatVariance, TauOfAverages, repeat_variance, tau_of_averages
from lnas.analysis.validation_size import LevelTaus, intra_level_taus
from lnas.errors import UsageError
from lnas.pipeline.scores_study.evidence import Evidence


@dataclass(frozen=True)
class Repeated:
    """An estimator that was repeated.

    Attributes:
        variance: How far its repeats differ.
        averages: What the mean of several is worth.
        levels: What the mean of all makes of architectures that the first one ties; None where it ties none.
    """

    variance: RepeatVariance
    averages: TauOfAverages
    levels: LevelTaus | None


@dataclass(frozen=True)
class Repeats:
    """All estimators that were repeated.

    Attributes:
        found: Estimator -> how far it varies.
        left_out: Estimator -> why nothing can be said.
    """

    found: Mapping[str, Repeated]
    left_out: Mapping[str, str]


def find_repeats(evidence: Evidence) -> Repeats:
    """Compare the repeats of each estimator that has some, with each other and with the main truth."""
    found, left_out = {}, {}
    for name, values in evidence.repeated.items():
        try:
            found[name] = _repeated(values if evidence.directions[name] else -values, evidence.truth)
        except UsageError as error:
            left_out[name] = str(error)
    return Repeats(found, left_out)


def _repeated(merits: np.ndarray, truth: np.ndarray) -> Repeated:
    levels = intra_level_taus(merits, truth)
    return Repeated(repeat_variance(merits), tau_of_averages(merits, truth), levels if len(levels.levels) else None)
