"""Saliencies are of one backward pass."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from lnas.proxies.channel_saliency import SaliencyWatcher


def watched(again: bool) -> list[torch.Tensor]:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2))
    watcher = SaliencyWatcher()
    watcher.attach(net)
    logits = net(torch.randn(5, 3, 4, 4))
    torch.autograd.grad(logits.square().mean(), list(net.parameters()), retain_graph=True)
    watcher.detach()
    if again:
        torch.autograd.grad(logits.sum(), list(net.parameters()))
    assert not any(module._forward_hooks for module in net.modules())
    return [saliency.of_channels for saliency in watcher.saliencies()]


def test_half_the_mean_square_of_activation_times_gradient() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2).double()
    x = torch.randn(7, 3, dtype=torch.float64)
    watcher = SaliencyWatcher()
    watcher.attach(layer)
    y = layer(x)
    torch.autograd.grad(y.square().sum(), layer.weight)
    (saliency,) = watcher.saliencies()
    watcher.detach()
    torch.testing.assert_close(saliency.of_channels, (y * 2 * y).square().mean(0).detach() / 2)
    assert saliency.weights_per_channel == 3


def test_a_second_backward_pass_adds_nothing() -> None:
    once, twice = watched(again=False), watched(again=True)
    assert len(once) == 2
    assert all(torch.equal(a, b) for a, b in zip(once, twice, strict=True))


class Residual(nn.Module):
    """Adds its input to the output of a convolution, which it may write over."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(3, 3, 3, padding=1)
        self.in_place = in_place

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(x)
        return y.add_(x) if self.in_place else y + x


def saliency_of(net: nn.Module, x: Tensor) -> Tensor:
    watcher = SaliencyWatcher()
    watcher.attach(net)
    torch.autograd.grad(net(x).square().sum(), list(net.parameters()))
    watcher.detach()
    (saliency,) = watcher.saliencies()
    return saliency.of_channels


def test_what_a_net_writes_over_is_no_activation() -> None:
    x = torch.randn(5, 3, 4, 4)
    expected, found = (saliency_of(Residual(in_place), x) for in_place in (False, True))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("positions", [(4,), (2, 3)])
def test_channels_of_a_linear_layer_come_last(positions: tuple[int, ...]) -> None:
    x = torch.randn(5, *positions, 3)
    layer = nn.Linear(3, 2)
    y = layer(x).detach()
    expected = (2 * y * y).flatten(1, -2).sum(1).square().mean(0) / 2
    torch.testing.assert_close(saliency_of(layer, x), expected)
