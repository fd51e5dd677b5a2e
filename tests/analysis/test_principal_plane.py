from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.principal_plane import principal_plane
from lnas.errors import UsageError


def cloud(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(30, 5)) * [5, 3, 2, 1, 0.1] + 7


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_it_is_that_of_the_covariance(seed: int) -> None:
    vectors = cloud(seed)
    plane = principal_plane(vectors)
    values, axes = np.linalg.eigh(np.cov(vectors.T))
    np.testing.assert_allclose(plane.explained, values[:-3:-1] / values.sum())
    np.testing.assert_allclose(np.abs((plane.axes * axes[:, :-3:-1].T).sum(axis=1)), 1)
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)
    shown = plane.project(vectors)
    np.testing.assert_allclose(np.cov(shown.T), np.diag(values[:-3:-1]), atol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_neither_order_nor_mirroring_decides_the_signs(seed: int) -> None:
    vectors = cloud(seed)
    plane = principal_plane(vectors)
    shuffled = principal_plane(np.random.default_rng(seed).permutation(vectors))
    np.testing.assert_allclose(shuffled.axes, plane.axes, atol=1e-9)
    np.testing.assert_allclose(principal_plane(-vectors).axes, plane.axes, atol=1e-9)


def test_of_equal_numbers_the_first_is_positive() -> None:
    along, across = np.array([1.0, -1, 1, -1]) / 2, np.array([-1.0, -1, 1, 1]) / 2
    vectors = np.array([3 * along, -3 * along, across, -across])
    np.testing.assert_allclose(principal_plane(vectors).axes, [along, -across], atol=1e-12)


def test_what_lies_in_the_plane_keeps_its_distances() -> None:
    vectors = (
        np.random.default_rng(0).normal(size=(9, 2)) @ np.linalg.qr(np.random.default_rng(1).normal(size=(6, 2)))[0].T
    )
    plane = principal_plane(vectors)
    assert plane.explained.sum() == pytest.approx(1)
    shown = plane.project(vectors)
    distances = np.linalg.norm(vectors[:, None] - vectors, axis=2)
    np.testing.assert_allclose(np.linalg.norm(shown[:, None] - shown, axis=2), distances, atol=1e-12)


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([[1, 2], [2, 4], [3, 6], [3, 6]], "span a plane, got '3 different ones on one line'"),
        ([[1e6, 1, 1]] * 4, "1 different ones"),
        ([[1, 2, 3]], "1 different ones"),
        ([[1], [2], [4]], "3 different ones"),
        ([[1, 2], [np.nan, 1], [0, 0]], "a matrix of finite numbers"),
        ([1, 2, 3], "a matrix of finite numbers"),
        (np.empty((0, 3)), "a matrix of finite numbers"),
    ],
)
def test_what_spans_no_plane_is_refused(vectors: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        principal_plane(vectors)
