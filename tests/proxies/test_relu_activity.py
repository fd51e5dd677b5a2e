"""Which ReLU units are on: counts and codes against loops over images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lnas.proxies.relu_activity import ReluAgreement, ReluCodes, watched_relus


class TwoEdges(nn.Module):
    """Two ReLUs of one tensor, a third of what they give."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = nn.ReLU(), nn.ReLU(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.third(self.first(x) + self.second(x) - 1)


class InPlace(nn.Module):
    """Two ReLUs of one tensor, which is another one by then."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.ReLU(), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        kept = self.first(x)
        x.neg_()
        return kept + self.second(x)


def agreement(patterns: Tensor) -> Tensor:
    """Count by comparing each pair of images."""
    return torch.tensor([[float((a == b).sum()) for b in patterns] for a in patterns], dtype=torch.float64)


def watch(net: nn.Module, images: Tensor) -> tuple[Tensor, np.ndarray]:
    counts, codes = ReluAgreement(), ReluCodes()
    with watched_relus(net, len(images), [counts, codes]):
        net(images)
    assert not any(module._forward_hooks for module in net.modules())
    return counts.value(), codes.value()


@settings(deadline=None, max_examples=25)
@given(images=st.integers(2, 9), units=st.sampled_from([1, 7, 255, 256, 300]), seed=st.integers(0, 99))
def test_one_product_counts_as_two_do(images: int, units: int, seed: int) -> None:
    x = torch.randn(images, units, generator=torch.Generator().manual_seed(seed))
    counts, codes = watch(nn.ReLU(), x)
    torch.testing.assert_close(counts, agreement(x > 0), rtol=0, atol=0)
    assert len(np.unique(codes, axis=0)) == len(torch.unique(x > 0, dim=0))


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_relus_of_one_tensor_count_each(layout: torch.memory_format) -> None:
    x = torch.randn(4, 8, 6, 6).to(memory_format=layout)
    counts, _ = watch(TwoEdges(), x)
    patterns = torch.cat([x > 0, x > 0, 2 * x.relu() > 1], dim=1).flatten(1)
    torch.testing.assert_close(counts, agreement(patterns), rtol=0, atol=0)


def test_a_tensor_that_was_changed_is_looked_at_again() -> None:
    x = torch.randn(4, 30)
    patterns = torch.cat([x > 0, x < 0], dim=1)
    counts, _ = watch(InPlace(), x.clone())
    torch.testing.assert_close(counts, agreement(patterns), rtol=0, atol=0)


def test_bytes_count_as_floats_do(monkeypatch: pytest.MonkeyPatch) -> None:
    x = torch.randn(16, 4096)
    by_default, _ = watch(nn.ReLU(), x)
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False)
    by_floats, _ = watch(nn.ReLU(), x)
    torch.testing.assert_close(by_default, by_floats, rtol=0, atol=0)


def test_what_is_computed_on_fewer_images_is_not_looked_at() -> None:
    counts = ReluAgreement()
    relu = nn.ReLU()
    with watched_relus(relu, 4, [counts]):
        relu(torch.randn(2, 3))
    assert counts.value() is None


def test_bfloat16_patterns_are_exact() -> None:
    x = torch.randn(6, 500).bfloat16()
    counts, _ = watch(nn.ReLU(), x)
    torch.testing.assert_close(counts, agreement(x > 0), rtol=0, atol=0)
