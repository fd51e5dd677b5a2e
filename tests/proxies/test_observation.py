"""Passes are shared: how often a network is run forward and backward for a set of measures."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lnas.proxies import score


class Counted(torch.autograd.Function):
    """The identity that counts how often it is passed, and by gradients."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, passes: Counter[str]) -> Tensor:
        ctx.passes = passes
        passes["forward"] += 1
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        ctx.passes["backward"] += 1
        return gradient, None


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.passes: Counter[str] = Counter()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.classifier = nn.Linear(4, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(Counted.apply(self.stem(images), self.passes).mean((2, 3)))


GRADIENT_MEASURES = ["grad_norm", "plain", "snip", "fisher", "fisher_channel"]


@pytest.mark.parametrize(
    ("names", "forward", "backward"),
    [
        (["relu_logdet", "linear_regions"], 1, 0),
        (GRADIENT_MEASURES, 1, 1),
        (["jacob_cov"], 1, 1),
        ([*GRADIENT_MEASURES, "relu_logdet", "linear_regions", "jacob_cov"], 1, 2),
        ([*GRADIENT_MEASURES, "grasp"], 1, 2),  # the second one through the first
        (["params"], 0, 0),
    ],
)
def test_measures_share_their_passes(names: list[str], forward: int, backward: int) -> None:
    net = Net()
    estimates = score(net, torch.randn(5, 3, 6, 6), torch.tensor([0, 1, 2, 0, 1]), names)
    assert {estimate.status for estimate in estimates.values()} == {"ok"}
    assert (net.passes["forward"], net.passes["backward"]) == (forward, backward)


def test_without_gradients_no_graph_is_built() -> None:
    seen = []
    net = Net()
    net.classifier.register_forward_hook(lambda layer, inputs, output: seen.append(output.requires_grad))
    score(net, torch.randn(5, 3, 6, 6), None, ["relu_logdet"])
    assert seen == [False]


def test_features_are_what_the_classifier_takes_in() -> None:
    from lnas.proxies.observation import observe

    net = Net().train()
    images = torch.randn(5, 3, 6, 6)
    found = observe(net, images, None, {"features"})
    torch.testing.assert_close(net.classifier(found["features"]), found["logits"])
