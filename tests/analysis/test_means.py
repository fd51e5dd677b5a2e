from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.means import running_means


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 1000), min_size=3, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_what_is_added_makes_no_difference(right: list[int], random) -> None:
    shuffled = random.sample(right, len(right))
    percent = np.array([right, shuffled]).T * 100 / 768
    one, other = running_means(percent)[-1]
    assert one == other
    np.testing.assert_allclose(one, percent[:, 0].mean(), rtol=1e-11, atol=1e-9)


def test_small_and_large_numbers_keep_their_digits() -> None:
    for scale in (1e-9, 1.0, 1e7, 1e15):
        rows = np.array([[1.25, 2.0], [1.75, 4.0]]) * scale
        np.testing.assert_allclose(running_means(rows), np.array([[1.25, 2.0], [1.5, 3.0]]) * scale, rtol=1e-10)
    assert running_means(np.zeros((2, 3))).tolist() == [[0] * 3] * 2
