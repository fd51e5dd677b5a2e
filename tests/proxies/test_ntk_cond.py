"""Condition numbers by hand, and where there is none."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lnas.proxies.ntk_cond import ntk_cond
from lnas.proxies.ntk_grams import observe_grams

FAST = settings(deadline=None, max_examples=25)


def rotated(eigenvalues: list[float]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    rotation, _ = torch.linalg.qr(
        torch.randn(len(eigenvalues), len(eigenvalues), dtype=torch.float64, generator=generator)
    )
    return rotation @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ rotation.T


def test_of_known_eigenvalues() -> None:
    assert ntk_cond(rotated([0.5, 2, 3, 40])) == pytest.approx(80)


def test_of_a_linear_model_with_orthogonal_images() -> None:
    """The kernel is the number of classes times the images' own, whose eigenvalues are their squared lengths."""
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5))
    images = torch.zeros(3, 12)
    images[0, 4], images[1, 7], images[2, 0] = 1, 2, 3
    assert ntk_cond(observe_grams(net, images.view(3, 3, 2, 2))["weight_gram"]) == pytest.approx(9)


@FAST
@given(st.lists(st.floats(0.01, 100), min_size=2, max_size=6), st.floats(0.001, 1000))
def test_is_at_least_one_and_has_no_unit(eigenvalues: list[float], unit: float) -> None:
    found = ntk_cond(rotated(eigenvalues))
    assert found == pytest.approx(max(eigenvalues) / min(eigenvalues))
    assert ntk_cond(rotated(eigenvalues) * unit) == pytest.approx(found)


@pytest.mark.parametrize("least", [0, -1e-3, 1e-17])
def test_a_singular_kernel_has_none(least: float) -> None:
    assert ntk_cond(rotated([least, 1, 2])) == math.inf


def test_what_counts_as_singular_depends_on_the_precision_of_the_gradients() -> None:
    kernel = torch.diag(torch.tensor([1e-8, 1, 1], dtype=torch.float64))
    assert ntk_cond(kernel) == pytest.approx(1e8)
    assert ntk_cond(kernel.float()) == math.inf


@pytest.mark.parametrize("kernel", [torch.zeros(3, 3), torch.ones(3, 3)])
def test_images_that_are_all_alike_have_none(kernel: torch.Tensor) -> None:
    assert ntk_cond(kernel) == math.inf


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_kernel_that_is_not_finite_has_none(bad: float) -> None:
    kernel = torch.eye(3)
    kernel[0, 0] = bad
    assert math.isnan(ntk_cond(kernel))
