"""The figures of a study of scores that need no script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lnas.analysis.complexity_groups import ComplexityBias
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.report.line_chart import LineChart, Reference, Series, draw_line_chart
from lnas.spaces.drawing import Svg
from lnas.stats import criteria

_GROUPS = "complexity group, the smallest first"


def complexity_figures(biases: Mapping[str, ComplexityBias], size: str) -> dict[str, Svg]:
    """Draw rank differences and taus over the complexity groups, as Fig. 5 of Ning et al. 2021: caption -> picture."""
    differences = {name: bias.mean for name, bias in biases.items()}
    taus = {name: bias.tau for name, bias in biases.items()}
    found = {}
    for caption, up, values, form, none in (
        (
            f"Rank difference by {size}",
            "mean rank difference, positive: overestimated",
            differences,
            "{:+,.0f}",
            "no bias",
        ),
        (f"Tau inside groups by {size}", "tau-b inside the group", taus, "{:+.3f}", "chance"),
    ):
        series = [Series(name, list(range(1, len(own) + 1)), own.tolist()) for name, own in values.items()]
        defined = [each for each in series if each.points]
        if defined:
            chart = LineChart(caption, _GROUPS, up, defined, references=[Reference(none, 0.0)], form=form)
            found[caption] = draw_line_chart(chart)
    return found


def precision_figures(evidence: Evidence, order: Sequence[str], ratios: Sequence[float]) -> dict[str, Svg]:
    """Draw which share of the true best and worst estimators find, against how many are asked for."""
    n = len(evidence.archs)
    found = criteria({name: evidence.ranking[name] for name in order}, evidence.truth, ratios)
    used = [k for k, size in enumerate(found.sizes) if size]
    sizes = found.sizes[used].astype(float).tolist()
    drawn = {}
    for end, values in (("top", found.precision_at_top), ("bottom", found.precision_at_bottom)):
        caption = f"P@{end} K against K"
        series = [Series(name, sizes, values[m, used].tolist()) for m, name in enumerate(order)]
        series.append(Series("a random order", sizes, (np.array(sizes) / n).tolist()))
        chart = LineChart(caption, "K, architectures", f"share of the true {end} K", series, "log", form="{:.3f}")
        drawn[caption] = draw_line_chart(chart)
    return drawn
