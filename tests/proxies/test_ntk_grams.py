"""Kernels of small nets: by hand, and by their laws."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lnas.nets import build_net
from lnas.proxies import ntk_grams
from lnas.proxies.jacobian import weight_jacobian
from lnas.proxies.ntk_grams import cell_grams, gram, observe_grams
from lnas.types import Arch

FAST = settings(deadline=None, max_examples=10)


def small_net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_net(Arch("nats_topology", (3, 1, 2, 4, 4, 3)), channels=4, cells=1).double()


def images_of(count: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(count, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_the_kernel_of_a_linear_model_is_classes_times_that_of_the_images() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5)).double()
    images = torch.randn(4, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = 5 * images.flatten(1) @ images.flatten(1).T
    torch.testing.assert_close(observe_grams(net, images)["weight_gram"], expected, rtol=1e-12, atol=1e-12)


def test_without_test_images_there_is_no_kernel_of_the_cells() -> None:
    assert set(observe_grams(small_net(), images_of(3))) == {"logits", "weight_gram"}


def test_kernels_are_products_of_the_jacobians_rows() -> None:
    net, images, others = small_net(), images_of(4), images_of(3, seed=1)
    found = observe_grams(net, images, others)
    fitted, tested = weight_jacobian(net, images), weight_jacobian(net, others)
    train, test = fitted.matrix[:, fitted.in_cell], tested.matrix[:, tested.in_cell]
    torch.testing.assert_close(found["weight_gram"], fitted.matrix @ fitted.matrix.T)
    torch.testing.assert_close(found["cell_grams"].train, train @ train.T)
    torch.testing.assert_close(found["cell_grams"].cross, test @ train.T)
    torch.testing.assert_close(found["logits"], net(images).detach())


def test_a_batch_with_itself_has_the_same_kernel_across_as_within() -> None:
    fitted = weight_jacobian(small_net(), images_of(4))
    grams = cell_grams(fitted, fitted)
    torch.testing.assert_close(grams.cross, grams.train)


@FAST
@given(st.permutations(range(5)))
def test_permuting_the_images_permutes_the_kernel(order: list[int]) -> None:
    net, images = small_net(), images_of(5)
    expected = observe_grams(net, images)["weight_gram"][order][:, order]
    torch.testing.assert_close(observe_grams(net, images[order])["weight_gram"], expected, rtol=1e-9, atol=1e-9)


def test_products_are_summed_in_float64(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32, 1 + 2^-24 is 1, however often it is added."""
    monkeypatch.setattr(ntk_grams, "_COLUMNS", 1)
    row = torch.cat([torch.ones(1), torch.full((2**10,), 2.0**-12)])[None]
    found = gram(row, row)
    assert found.dtype == torch.float32
    assert float(found) == 1 + 2.0**-14
