"""The tables that say which architectures estimators over- and underestimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lnas.analysis.complexity_groups import ComplexityBias, ComplexityGroups
from lnas.analysis.isomorphism_bias import IsomorphismBias
from lnas.analysis.size_bias import SizeBias
from lnas.report.table import Column, ResultTable, WithDeviation

_SIGNED, _RANKS, _COUNT = "{:+.3f}", "{:+,.1f}", "{:,}"
_RANK_DIFFERENCE = (
    "Rank difference: true rank less estimated rank among all architectures with an estimate, positive where "
    "overestimated; mean ± standard deviation."
)


def complexity_table(biases: Mapping[str, ComplexityBias], groups: ComplexityGroups, size: str) -> ResultTable:
    """Say what estimators make of small and of large architectures."""
    rows = [(bias, group) for bias in biases.values() for group in range(len(groups.counts))]
    return ResultTable(
        "complexity",
        f"Bias by complexity: groups by {size}",
        [
            Column("estimator", "estimator", [name for name in biases for _ in groups.counts]),
            *group_columns([(groups, group) for _, group in rows], size),
            Column("counts", "architectures", [int(bias.counts[group]) for bias, group in rows], _COUNT),
            Column("missing", "without a number", [int(bias.missing[group]) for bias, group in rows], _COUNT),
            rank_difference_column(rows),
            Column("tau", "tau-b inside", [float(bias.tau[group]) for bias, group in rows], _SIGNED),
        ],
        [
            f"As Ning et al. 2021, Fig. 5. {_RANK_DIFFERENCE}",
            "Groups are as equal as ties of the size let them be. A dash stands for a tau of fewer than two "
            "architectures, or of equal ones.",
        ],
    )


def group_columns(rows: Sequence[tuple[ComplexityGroups, int]], size: str) -> list[Column]:
    """Name the group of each row, from 1, and the sizes that it holds."""
    return [
        Column("group", "group", [group + 1 for _, group in rows]),
        Column("smallest", f"{size} from", [float(groups.smallest[group]) for groups, group in rows], "{:,.9g}"),
        Column("largest", "to", [float(groups.largest[group]) for groups, group in rows], "{:,.9g}"),
    ]


def rank_difference_column(rows: Sequence[tuple[ComplexityBias | IsomorphismBias, int]]) -> Column:
    """Say by how much the members of each row's group are overestimated, in ranks."""
    cells = [WithDeviation(float(bias.mean[group]), float(bias.deviation[group])) for bias, group in rows]
    return Column("rank_difference", "rank difference", cells, _RANKS)


def size_table(biases: Mapping[str, SizeBias], size: str) -> ResultTable:
    """Say how much of each estimator is size, and what is left at the same size."""
    found = list(biases.values())

    def column(name: str, title: str, form: str) -> Column:
        return Column(name, title, [getattr(bias, name) for bias in found], form)

    return ResultTable(
        "size",
        f"How much of an estimator is {size}",
        [
            Column("estimator", "estimator", list(biases)),
            column("estimates_truth", "tau-b with accuracy", _SIGNED),
            column("estimates_size", f"tau-b with {size}", _SIGNED),
            column("truth_size", f"accuracy with {size}", _SIGNED),
            column("partial", f"partial, given {size}", _SIGNED),
            column("matched", "tau-b at the same size", _SIGNED),
            column("matched_archs", "of the same size", _COUNT),
            column("matched_pairs", "pairs", _COUNT),
            column("missing", "without a number", _COUNT),
        ],
        [
            "Kendall's tau-b over the architectures with an estimate. Partial: (xy - xz yz) / sqrt((1 - xz²)(1 - yz²)) "
            "of the three taus; a dash where size orders the estimates in full. At the same size only pairs of equal "
            "size are compared.",
        ],
    )


def isomorphism_table(found: Mapping[str, IsomorphismBias]) -> ResultTable:
    """Say whether architectures with many isomorphic twins are overestimated."""
    rows = [(name, bias, k) for name, bias in found.items() for k in range(len(bias.sizes))]
    taus = ", ".join(f"{name} {bias.tau:+.2f}" for name, bias in found.items() if not np.isnan(bias.tau))
    return ResultTable(
        "isomorphism",
        "Bias by isomorphism: cells of many names",
        [
            Column("estimator", "estimator", [name for name, *_ in rows]),
            Column("members", "twins in the space", [int(bias.sizes[k]) for _, bias, k in rows], _COUNT),
            Column("classes", "classes", [int(bias.classes[k]) for _, bias, k in rows], _COUNT),
            Column("archs", "architectures", [int(bias.archs[k]) for _, bias, k in rows], _COUNT),
            rank_difference_column([(bias, k) for _, bias, k in rows]),
        ],
        [
            f"After Ning et al. 2021, Sec. 6.2. {_RANK_DIFFERENCE} Twins count as one, with the mean of theirs.",
            f"Tau-b of the size of the class with the rank difference: {taus or 'all classes are of one size'}.",
        ],
    )
