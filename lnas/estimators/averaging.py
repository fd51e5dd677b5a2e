"""One estimate out of several of the same measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

from lnas.types import Estimate


def mean_estimate(parts: Sequence[Sequence[Estimate]]) -> Estimate:
    """Average estimates that were taken on several networks (rows) and batches (columns).

    Args:
        parts: One list per network; at least one estimate in all.

    Returns:
        The mean, with all `values` in the details, None for those without a number, and the means of their `curves`,
        point by point; of a single estimate, itself. If one of them failed, or else is nonfinite, so is the whole, with
        that one's details and its place, `at`: the number of the network and of the batch. The seconds are the sum.

    Example:
        >>> mean_estimate([[Estimate(1.0), Estimate(2.0)], [Estimate(3.0), Estimate(6.0)]]).value
        3.0
    """
    every = list(chain.from_iterable(parts))
    if len(every) == 1:
        return every[0]
    values = [[part.value if part.status == "ok" else None for part in row] for row in parts]
    seconds = sum(part.seconds for part in every)
    for status in ("failed", "nonfinite"):
        for network, row in enumerate(parts):
            for batch, part in enumerate(row):
                if part.status == status:
                    detail = {**part.detail, "at": [network, batch], "values": values}
                    return Estimate(math.nan, part.status, seconds, detail)
    return Estimate.of(_mean([part.value for part in every]), seconds, {"values": values, **_mean_curves(every)})


def _mean_curves(parts: Sequence[Estimate]) -> dict[str, dict[str, list[float]]]:
    """Return the means of the curves that all parts have; a point is there as long as all have one."""
    curves = [part.detail.get("curves", {}) for part in parts]
    shared = [name for name in curves[0] if all(name in own for own in curves)]
    means = {name: [_mean(points) for points in zip(*(own[name] for own in curves), strict=False)] for name in shared}
    return {"curves": means} if means else {}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
