from __future__ import annotations

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.pipeline.scoring.choosing import choose_archs
from lnas.pipeline.study.pool import draw_pool
from lnas.pipeline.truth import Truth
from lnas.spaces import NatsTopologySpace

SPACE = NatsTopologySpace()
TRUTH = Truth("digits", "digits-1.0/digits/test@8/mean")


def test_a_pool_is_what_the_benchmark_holds_of_what_score_would_draw() -> None:
    pool = draw_pool(40, TRUTH, SPACE, seed=3)
    drawn = choose_archs(1000, SPACE, 3)
    held = zip(drawn, TRUTH.accuracies(drawn, SPACE), strict=True)
    expected = [arch for arch, accuracy in held if accuracy is not None][:40]
    assert pool.archs == expected
    assert pool.accuracies.tolist() == TRUTH.accuracies(expected, SPACE)
    assert pool.trivial.tolist() == [not SPACE.is_valid(arch) for arch in expected]
    assert 0 < pool.trivial.sum() < 40


def test_a_larger_pool_begins_with_a_smaller_one() -> None:
    small, large = (draw_pool(count, TRUTH, SPACE, seed=0) for count in (10, 800))
    first = large.first(10)
    assert first.archs == small.archs
    np.testing.assert_array_equal(first.accuracies, small.accuracies)
    np.testing.assert_array_equal(first.trivial, small.trivial)


@pytest.mark.parametrize("count", [0, 15_626])
def test_a_pool_that_cannot_be_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match=f"archs={count}"):
        draw_pool(count, TRUTH, SPACE, seed=0)
