"""What a shorter training would have measured, read from the curves of a longer one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lnas.errors import UsageError, complaint
from lnas.types import Estimate

TAIL = 10
"""Over how many of the last losses `loss_tail` is the mean."""

Curve = Sequence[float | None]


def at_step(estimates: Mapping[str, Estimate], step: int) -> dict[str, Estimate]:
    """Read measures after some of the steps of a training.

    A measure has a curve if its details hold one of its own name, a number for each step, None where it is not finite;
    `loss_tail` and `loss_area` are the mean of the last ten and the sum of the `loss` curve so far. The angle's is
    after each step, the loss's that of each step, before its update: the latter is what a training of so many steps
    gives that measures the loss of its last step, not the one that measures it afterwards. Rules that replace the
    values of whole trainings, as `protocol="as_released"` has for trivial cells, are not in the curves.

    Args:
        estimates: Of one training.
        step: Counted from 1.

    Returns:
        The measures that can be read, with the steps' share of the seconds; a measure that failed stays so.

    Raises:
        UsageError: If the training was shorter.
    """
    losses = _curve(estimates, "loss")
    found: dict[str, Estimate] = {}
    for name, estimate in estimates.items():
        if (curve := _curve(estimates, name)) is not None:
            found[name] = _share(estimate, curve, step, _values(name, curve, step)[-1])
        elif name == "loss_tail" and losses is not None:
            tail = _values(name, losses, step)[-TAIL:]
            found[name] = _share(estimate, losses, step, sum(tail) / len(tail))
        elif name == "loss_area" and losses is not None:
            found[name] = _share(estimate, losses, step, sum(_values(name, losses, step)))
        elif estimate.status == "failed":
            found[name] = estimate
    return found


def _curve(estimates: Mapping[str, Estimate], name: str) -> Curve | None:
    return estimates[name].detail.get("curves", {}).get(name) if name in estimates else None


def _values(name: str, curve: Curve, step: int) -> list[float]:
    """Return the curve up to a step, NaN where it has no number."""
    if not 1 <= step <= len(curve):
        call = f"step {step} of the curve of {name!r}"
        raise UsageError(complaint(call, f"a step in 1..{len(curve)}", step, "Train longer, or read an earlier step."))
    return [math.nan if value is None else value for value in curve[:step]]


def _share(whole: Estimate, curve: Curve, step: int, value: float) -> Estimate:
    return Estimate.of(value, whole.seconds * step / len(curve))
