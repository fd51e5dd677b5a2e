from __future__ import annotations

import math

from lnas.pipeline.scoring.outcome import summarize
from lnas.types import Estimate


def test_a_measurement_that_several_share_is_timed_once() -> None:
    shared, own = Estimate(1.0, seconds=4.0), Estimate(1.0, seconds=2.0)
    assert summarize("snip", [shared, shared, shared, own], None).seconds == 3.0


def test_each_status_is_counted_and_the_first_reason_kept() -> None:
    estimates = [Estimate(1.0), Estimate.of(-math.inf), Estimate.failure(OSError("disk")), Estimate.of(math.nan)]
    found = summarize("snip", estimates, None)
    assert (found.ok, found.nonfinite, found.failed, found.reason) == (1, 2, 1, "nonfinite: -inf")
    assert summarize("snip", estimates[:1], None).reason == ""
