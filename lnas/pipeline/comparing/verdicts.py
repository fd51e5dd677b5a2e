"""What a comparison comes to, in one plain sentence."""

from __future__ import annotations

import math

from lnas.pipeline.comparing.measures import Agreement, Common, Worth
from lnas.report.table import WithInterval


def verdict(own: Common, alike: Agreement, worth: Worth | None) -> str:
    """Say whether it matters which of the two results one goes by."""
    if own.in_both.any() and own.are_same and own.pairing.is_same:
        return f"same numbers on {_count(int(own.in_both.sum()))}"
    if worth is not None and worth.ahead is not None:
        return _by_truth(worth.n, worth.ahead, alike)
    if alike.kendall is None:
        return f"they cannot be compared: {alike.undefined}"
    undefined = f"; no word on which is right: {worth.undefined}" if worth is not None else ""
    return f"{_alike(alike.kendall)} on {_count(int(own.in_both.sum()))}{undefined}"


def _by_truth(count: int, ahead: WithInterval, alike: Agreement) -> str:
    same_order = alike.kendall is not None and alike.kendall.value == 1.0
    if ahead.low > 0 or ahead.high < 0:
        better = "B" if ahead.value > 0 else "A"
        gain = ahead if better == "B" else WithInterval(-ahead.value, -ahead.high, -ahead.low)
        return f"{better} ranks better: tau {_interval(gain)} on {_count(count)}"
    if same_order and ahead.value == 0:
        return f"other numbers, the same order of {_count(count)}"
    if math.isnan(ahead.low):
        return f"B's tau less A's is {ahead.value:+.3f} on {_count(count)}, and no interval is defined"
    return f"no difference that n = {count:,} can show: B's tau less A's is {_interval(ahead)}"


def _alike(tau: WithInterval) -> str:
    return "other numbers, the same order" if tau.value == 1.0 else f"tau between A and B {_interval(tau)}"


def _interval(value: WithInterval) -> str:
    return f"{value.value:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"


def _count(count: int) -> str:
    return f"{count:,} architecture{'' if count == 1 else 's'}"
