"""Saliencies are of one backward pass."""

from __future__ import annotations

import torch
from torch import nn

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
