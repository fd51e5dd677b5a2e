"""The figures that show what averaging repeats is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from lnas.analysis.distributions import histograms
from lnas.pipeline.scores_study.repeats import Repeated
from lnas.report.line_chart import LineChart, Series, draw_line_chart
from lnas.spaces.drawing import Svg

_BINS = 10


def repeat_figures(found: Mapping[str, Repeated]) -> dict[str, Svg]:
    """Draw tau by how many repeats are averaged, and the taus inside levels: caption -> picture."""
    averages = [
        Series(name, own.averages.repeats.tolist(), own.averages.mean.tolist(), own.averages.deviation.tolist())
        for name, own in found.items()
    ]
    inside = "tau-b of the mean of all repeats among architectures that the first ties"
    return {
        **_drawn("Tau of means of repeats", "repeats that are averaged", "tau-b with accuracy", averages),
        **_drawn("Tau inside levels", inside, f"share of the levels in each of {_BINS} bins", [*_inside_levels(found)]),
    }


def _drawn(caption: str, across: str, up: str, series: Sequence[Series]) -> dict[str, Svg]:
    if not series:
        return {}
    return {caption: draw_line_chart(LineChart(caption, across, up, series, form="{:.3f}"))}


def _inside_levels(found: Mapping[str, Repeated]) -> Iterator[Series]:
    """Yield a histogram for each estimator that has levels whose tau is defined."""
    for name, own in found.items():
        if own.levels is not None and np.isfinite(own.levels.tau).any():
            edges, (shares,) = histograms(own.levels.tau[None], _BINS)
            yield Series(name, edges.tolist(), np.append(shares, shares[-1]).tolist(), line="steps")
