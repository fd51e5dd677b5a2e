"""What a shorter training would have measured, read from the curves of a longer one."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lnas.errors import UsageError, complaint
from lnas.types import Estimate


def at_step(estimates: Mapping[str, Estimate], step: int) -> dict[str, Estimate]:
    """Read measures after some of the steps of a training.

    A measure has a curve if its details hold one of its own name, a number for each step, None where it is not finite.
    The angle's is after each step, the loss's that of each step, before its update: the latter is what a training of so
    many steps gives that measures the loss of its last step, not the one that measures it afterwards.

    Args:
        estimates: Of one training.
        step: Counted from 1.

    Returns:
        The measures that have a curve, with the steps' share of the seconds; a measure that failed stays so.

    Raises:
        UsageError: If the training was shorter.
    """
    found: dict[str, Estimate] = {}
    for name, estimate in estimates.items():
        curve = estimate.detail.get("curves", {}).get(name)
        if curve is not None:
            found[name] = _read(name, curve, step, estimate.seconds)
        elif estimate.status == "failed":
            found[name] = estimate
    return found


def _read(name: str, curve: list[float | None], step: int, seconds: float) -> Estimate:
    if not 1 <= step <= len(curve):
        call = f"step {step} of the curve of {name!r}"
        raise UsageError(complaint(call, f"a step in 1..{len(curve)}", step, "Train longer, or read an earlier step."))
    value = curve[step - 1]
    return Estimate.of(math.nan if value is None else value, seconds * step / len(curve))
