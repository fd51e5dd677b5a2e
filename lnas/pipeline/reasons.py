"""Why there is no number."""

from __future__ import annotations

from lnas.types import Estimate


def reason(estimate: Estimate) -> str:
    """Say why an estimate has no number.

    Example:
        >>> reason(Estimate.failure(ValueError("too small")))
        'failed: ValueError: too small'
        >>> reason(Estimate.of(float("inf")))
        'nonfinite: inf'
    """
    said = (estimate.detail[key] for key in ("error", "reason", "got") if key in estimate.detail)
    return f"{estimate.status}: {next(said, 'no reason kept')}"
