"""The laws of every zero-shot measure, and that each law notices a measure that breaks it."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lnas.nets import build_net
from lnas.proxies import PROXIES, score
from lnas.testing.proxies import ProxyContract
from lnas.types import Arch, Estimate

CELL = Arch("nats_topology", (3, 1, 2, 0, 4, 3))


def small_net() -> nn.Module:
    """Two convolutions with batch norms, two ReLUs, a classifier: what a law is tried on in milliseconds."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 5),
        )


def cell_net() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return build_net(CELL, channels=4, cells=1)


def batch() -> tuple[Tensor, Tensor]:
    return torch.randn(6, 3, 4, 4, generator=torch.Generator().manual_seed(1)), torch.arange(6) % 5


class TestProxies(ProxyContract):
    @pytest.fixture(params=PROXIES)
    def name(self, request: pytest.FixtureRequest) -> str:
        return request.param

    @pytest.fixture
    def score(self) -> Callable:
        return score

    @pytest.fixture
    def build(self) -> Callable[[], nn.Module]:
        return small_net

    @pytest.fixture
    def images(self) -> Tensor:
        return batch()[0]

    @pytest.fixture
    def labels(self) -> Tensor:
        return batch()[1]


LAWS = [law for law in vars(ProxyContract) if law.startswith("test_")]


@pytest.mark.parametrize("law", LAWS)
def test_laws_hold_on_a_net_of_the_topology_space(law: str) -> None:
    images = torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    for name in ("grasp", "relu_logdet", "ntk_mse_cells"):
        getattr(ProxyContract(), law)(score, name, cell_net, images, torch.arange(6) % 5)


def accumulate_gradients(net: nn.Module, images: Tensor) -> None:
    net.zero_grad()
    net.train()(images).sum().backward()


def update_statistics(net: nn.Module, images: Tensor) -> None:
    modes = {module: module.training for module in net.modules()}
    net.train()(images)
    for module, training in modes.items():
        module.training = training


TRACES = {
    "weight": lambda net, images: net[0].weight.data.mul_(1.0001),
    "another weight": lambda net, images: setattr(net[0], "weight", nn.Parameter(net[0].weight.detach().clone())),
    "layout": lambda net, images: net.to(memory_format=torch.channels_last),
    "gradient": accumulate_gradients,
    "no gradient": lambda net, images: net.zero_grad(),
    "requires_grad": lambda net, images: net.requires_grad_(True),
    "running statistics": update_statistics,
    "mode of the net": lambda net, images: setattr(net, "training", not net.training),
    "mode of a layer": lambda net, images: setattr(net[4], "training", not net[4].training),
    "option of a layer": lambda net, images: setattr(net[1], "track_running_stats", False),
    "hook": lambda net, images: net[2].register_forward_hook(lambda module, inputs, output: None),
    "lost hook": lambda net, images: net[2]._forward_hooks.clear(),
    "backward hook": lambda net, images: net[3].register_full_backward_hook(lambda module, inputs, outputs: None),
    "attribute": lambda net, images: setattr(net[1], "forward", net[1].forward),
    "class": lambda net, images: setattr(net[2], "__class__", nn.ReLU6),
    "images": lambda net, images: images.add_(1),
    "gradient of the images": lambda net, images: images.requires_grad_(),
    "Python's generator": lambda net, images: random.random(),
    "NumPy's generator": lambda net, images: np.random.rand(),  # noqa: NPY002
    "PyTorch's generator": lambda net, images: torch.rand(1),
}


def tracing(trace: Callable, when: str) -> Callable:
    """Return a `score` that leaves a trace where its estimate has this status."""

    def fake(net, images, labels, names, *, seed=0):
        found = score(net, images, labels, names, seed=seed)
        if next(iter(found.values())).status == when:
            trace(net, images)
        return found

    return fake


def reseeded(net, images, labels, names, *, seed=0):
    return score(net, images, labels, names, seed=random.getrandbits(30))


def drifting(net, images, labels, names, *, seed=0):
    return scaled(score(net, images, labels, names, seed=seed), 1 + 1e-5 * len(names))


def moody(net, images, labels, names, *, seed=0):
    return scaled(score(net, images, labels, names, seed=seed), 1 + 1e-9 * net.training)


def gradual(net, images, labels, names, *, seed=0):
    return scaled(score(net, images, labels, names, seed=seed), 1 + 1e-9 * torch.is_grad_enabled())


def stand_in(net, images, labels, names, *, seed=0):
    found = score(net, images, labels, names, seed=seed)
    return {name: Estimate.of(0.0) if item.status == "nonfinite" else item for name, item in found.items()}


def converting(net, images, labels, names, *, seed=0):
    return score(net, images.to(next(net.parameters()).dtype), labels, names, seed=seed)


def scaled(found: dict[str, Estimate], factor: float) -> dict[str, Estimate]:
    return {name: Estimate.of(factor * item.value) for name, item in found.items()}


def raising(net, images, labels, names, *, seed=0):
    found = score(net, images, labels, names, seed=seed)
    if any(item.status == "failed" for item in found.values()):
        raise RuntimeError("failed")
    return found


BROKEN = {
    **{("test_everything_is_left_as_found", name): tracing(trace, "ok") for name, trace in TRACES.items()},
    **{
        ("test_everything_is_left_as_found_by_a_failure", name): tracing(trace, "failed")
        for name, trace in TRACES.items()
        if trace is not accumulate_gradients and trace is not update_statistics  # which cannot run such a net
    },
    ("test_everything_is_left_as_found_by_a_failure", "raising"): raising,
    ("test_the_seed_decides_what_is_random", "reseeded"): reseeded,
    ("test_it_is_the_same_alone_and_among_all", "drifting"): drifting,
    ("test_the_mode_of_the_net_does_not_matter", "moody"): moody,
    ("test_the_callers_gradient_mode_does_not_matter", "gradual"): gradual,
    ("test_a_net_that_ignores_its_input_has_no_number", "stand-in"): stand_in,
    ("test_images_of_another_precision_are_refused", "converting"): converting,
}


def test_every_law_has_a_measure_that_breaks_it() -> None:
    assert {law for law, _ in BROKEN} == set(LAWS)


@pytest.mark.parametrize(("law", "fault"), BROKEN)
def test_the_law_notices_a_measure_that_breaks_it(law: str, fault: str) -> None:
    with pytest.raises(RuntimeError if fault == "raising" else AssertionError):
        getattr(ProxyContract(), law)(BROKEN[law, fault], "snip", small_net, *batch())
