"""The tables that say which operations estimators over- and underestimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lnas.analysis.operation_bias import OperationBias, by_target
from lnas.report.table import Column, ResultTable

_COUNT, _PERCENT, _POINTS = "{:,}", "{:.1f}", "{:+.1f}"
_RISES = (
    "Pairs of architectures that differ in one operation only. Rises: share of the pairs in which accuracy, or the "
    "estimate, is higher with the operation. Excess: rises of the estimate less those of accuracy, a tie counting "
    "half, in points; positive where the estimator overestimates the operation."
)
_LARGEST = "Largest: both architectures are in the largest complexity group; a dash where there is no such pair."


def operation_table(biases: Mapping[str, OperationBias], largest: Mapping[str, OperationBias]) -> ResultTable:
    """Say what estimators make of each operation in the place of any other, over all and in the largest group."""
    over_all = {name: by_target(bias) for name, bias in biases.items()}
    in_largest = {name: by_target(bias) for name, bias in largest.items()}
    rows = [(name, k) for name, bias in over_all.items() for k in range(len(bias.changes))]
    return ResultTable(
        "operations",
        "Bias by operation",
        [
            Column("estimator", "estimator", [name for name, _ in rows]),
            *_kind(over_all, rows),
            Column("operation", "operation", [over_all[name].changes[k].target for name, k in rows]),
            *_columns("", "", over_all, rows),
            *(_columns("largest_", ", largest", in_largest, rows) if in_largest else ()),
        ],
        [
            f"After Ning et al. 2021, Sec. 5.1. {_RISES}",
            *([_LARGEST] if in_largest else ()),
        ],
    )


def change_table(biases: Mapping[str, OperationBias]) -> ResultTable:
    """Say what estimators make of one operation in the place of a certain other."""
    rows = [(name, k) for name, bias in biases.items() for k in range(len(bias.changes))]
    return ResultTable(
        "changes",
        "Bias by change of operation",
        [
            Column("estimator", "estimator", [name for name, _ in rows]),
            *_kind(biases, rows),
            Column("source", "from", [biases[name].changes[k].source for name, k in rows]),
            Column("target", "to", [biases[name].changes[k].target for name, k in rows]),
            *_columns("", "", biases, rows),
        ],
        [_RISES],
    )


def _kind(biases: Mapping[str, OperationBias], rows: Sequence[tuple[str, int]]) -> list[Column]:
    """Return which decision is changed, where there are several kinds."""
    decisions = [biases[name].changes[k].decision for name, k in rows]
    return [Column("decision", "decision", decisions)] if len(set(decisions)) > 1 else []


def _columns(
    prefix: str, suffix: str, biases: Mapping[str, OperationBias], rows: Sequence[tuple[str, int]]
) -> list[Column]:
    def percent(values: str) -> list[float]:
        return [100 * float(getattr(biases[name], values)[k]) for name, k in rows]

    return [
        Column(f"{prefix}pairs", f"pairs{suffix}", [int(biases[name].pairs[k]) for name, k in rows], _COUNT),
        Column(f"{prefix}truth_rises", f"accuracy rises (%){suffix}", percent("truth_rises"), _PERCENT),
        Column(f"{prefix}estimate_rises", f"estimate rises (%){suffix}", percent("estimate_rises"), _PERCENT),
        Column(f"{prefix}excess", f"excess{suffix}", percent("excess"), _POINTS),
    ]
