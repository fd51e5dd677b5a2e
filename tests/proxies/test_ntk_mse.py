"""Regression with the last layer's kernel: by hand, and written out as published."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lnas.proxies.jacobian import weight_jacobian
from lnas.proxies.ntk_mse import ntk_mse

FAST = settings(deadline=None, max_examples=25)
SEEDS = st.integers(0, 2**32 - 1)


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_by_hand() -> None:
    """Orthonormal features predict their own label; a test image halfway between two predicts half of each."""
    features, labels = torch.eye(2), torch.tensor([0, 1])
    test_features = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.0, 0.0]])
    test_labels = torch.tensor([0, 0, 2])
    # Errors (0, 0, 0), (1 - 1/2, -1/2, 0) and (0, 0, 1).
    found = ntk_mse(features, labels, test_features, test_labels)
    assert found == pytest.approx((0 + math.sqrt(0.5) + 1) / 3)


def test_the_published_formula_with_the_kernel_of_a_classifier() -> None:
    """Eq. 8 and 9, the kernel from the gradients of the sum of seven logits."""
    classifier = nn.Sequential(nn.Flatten(), nn.Linear(12, 7)).double()
    features, test_features = drawn(0, 5, 12), drawn(1, 4, 12)
    labels, test_labels = torch.tensor([0, 1, 2, 1, 6]), torch.tensor([1, 1, 0, 6])
    train, test = (weight_jacobian(classifier, some.view(-1, 3, 2, 2)).matrix for some in (features, test_features))
    one_hot = torch.eye(7, dtype=torch.float64)
    predictions = test @ train.T @ torch.linalg.inv(train @ train.T) @ one_hot[labels]
    expected = (
        sum(math.dist(a, b) for a, b in zip(predictions.tolist(), one_hot[test_labels].tolist(), strict=True)) / 4
    )
    assert ntk_mse(features, labels, test_features, test_labels) == pytest.approx(expected, rel=1e-10)


@FAST
@given(SEEDS)
def test_more_images_than_features_are_fitted_by_least_squares(seed: int) -> None:
    features, test_features = drawn(seed, 9, 3), drawn(seed + 1, 4, 3)
    labels, test_labels = torch.arange(9) % 4, torch.arange(4)
    targets = torch.eye(4, dtype=torch.float64)
    weights = torch.linalg.lstsq(features, targets[labels]).solution
    expected = float((test_features @ weights - targets[test_labels]).norm(dim=1).mean())
    assert ntk_mse(features, labels, test_features, test_labels) == pytest.approx(expected, rel=1e-8)


@FAST
@given(SEEDS)
def test_what_was_fitted_exactly_has_no_error(seed: int) -> None:
    features, labels = drawn(seed, 4, 9), torch.tensor([0, 3, 1, 0])
    assert ntk_mse(features, labels, features, labels) < 1e-8


@FAST
@given(SEEDS, st.permutations(range(5)), st.floats(0.01, 100))
def test_order_of_images_names_of_classes_and_scale_of_features_do_not_matter(
    seed: int, order: list[int], scale: float
) -> None:
    features, labels = drawn(seed, 5, 8), torch.tensor([0, 1, 2, 1, 0])
    test_features, test_labels = drawn(seed + 1, 3, 8), torch.tensor([2, 0, 1])
    found = ntk_mse(features[order] * scale, (labels[order] + 5) * 2, test_features * scale, (test_labels + 5) * 2)
    assert found == pytest.approx(ntk_mse(features, labels, test_features, test_labels), rel=1e-8)


def test_features_that_differ_by_rounding_alone_are_one() -> None:
    """Or else the fit would rest on their difference."""
    features = drawn(0, 6, 1).float() @ torch.ones(1, 4)
    noisy = features * (1 + 1e-7 * drawn(1, 6, 4).float())
    labels, test_features, test_labels = torch.arange(6) % 3, drawn(2, 3, 4).float(), torch.arange(3)
    expected = ntk_mse(features, labels, test_features, test_labels)
    assert ntk_mse(noisy, labels, test_features, test_labels) == pytest.approx(expected, rel=1e-5)


def test_features_that_are_not_finite_have_no_error() -> None:
    labels = torch.tensor([0, 1])
    assert math.isnan(ntk_mse(torch.full((2, 3), math.nan), labels, torch.ones(2, 3), labels))
    assert math.isnan(ntk_mse(torch.ones(2, 3), labels, torch.full((2, 3), math.inf), labels))
