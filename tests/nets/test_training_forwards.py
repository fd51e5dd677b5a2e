from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lnas.nets import RegionNet, build_net, build_supernet, uniform_weights
from lnas.nets.training_forwards import training_forwards
from lnas.proxies.substitution import substituted
from lnas.spaces import SPACES, NatsTopologySpace

SPACE = NatsTopologySpace()
ALL_CONV3 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
POOLED = "|avg_pool_3x3~0|+|avg_pool_3x3~0|nor_conv_1x1~1|+|avg_pool_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"
SMALL = {"channels": 8, "cells": 1}


def images() -> Tensor:
    return torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def outputs_of(net: nn.Module, kind: type[nn.Module], module: nn.Module) -> list[Tensor]:
    """Run a forward pass and collect what the modules of a kind in one cell gave."""
    given: list[Tensor] = []
    hooks = [
        part.register_forward_hook(lambda part, inputs, output: given.append(output))
        for part in module.modules()
        if isinstance(part, kind)
    ]
    net(images())
    for hook in hooks:
        hook.remove()
    return given


@pytest.mark.parametrize(
    ("cell", "kind", "calls", "computed"), [(ALL_CONV3, nn.ReLU, 6, 3), (POOLED, nn.AvgPool2d, 3, 1)]
)
def test_is_computed_once_for_each_node(cell: str, kind: type[nn.Module], calls: int, computed: int) -> None:
    net = build_net(SPACE.parse(cell), **SMALL)
    with substituted(training_forwards(net)):
        given = outputs_of(net, kind, net.blocks[0])
    assert len(given) == calls
    assert len({id(output) for output in given}) == computed
    assert len({id(output) for output in outputs_of(net, kind, net.blocks[0])}) == calls


def trained(net: RegionNet, forward: Callable[[Tensor], Tensor], shared: bool) -> dict[str, Tensor]:
    """Take two steps in double precision; return gradients of the second, weights and statistics."""
    net.double()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    with substituted(training_forwards(net) if shared else {}):
        for _ in range(2):
            optimizer.zero_grad()
            nn.functional.cross_entropy(forward(images().double()), torch.arange(4)).backward()
            optimizer.step()
    gradients = {f"{name}.grad": p.grad for name, p in net.named_parameters() if p.grad is not None}
    return gradients | {name: tensor.detach() for name, tensor in net.state_dict().items()}


def assert_same_training(make: Callable[[], RegionNet], **options: object) -> None:
    results = []
    for shared in (False, True):
        torch.manual_seed(0)
        net = make()
        results.append(trained(net, partial(net, **options), shared))
    alone, together = results
    assert alone.keys() == together.keys()
    for name, tensor in alone.items():
        torch.testing.assert_close(
            together[name], tensor, rtol=1e-6, atol=1e-9, msg=lambda text, n=name: f"{n}: {text}"
        )


@pytest.mark.parametrize("space", ["nats_topology", "darts", "nasbench1shot1_1", "nasbench101"])
def test_trains_the_same(space: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(3):
        arch = SPACES[space]().sample(rng)
        assert_same_training(lambda arch=arch: build_net(arch, channels=8, cells=2))


def test_trains_the_same_with_all_that_darts_has() -> None:
    arch = SPACES["darts"]().sample(np.random.default_rng(0))
    assert_same_training(lambda: build_net(arch, channels=8, cells=3, auxiliary=True, drop_path=0.3))


def test_trains_a_mixture_the_same() -> None:
    assert_same_training(lambda: build_supernet(SPACE, channels=4, cells=1), weights=uniform_weights(SPACE.region))


def test_holds_nothing_after_a_pass() -> None:
    net = build_net(SPACE.parse(POOLED), **SMALL)
    forwards = training_forwards(net)
    (found,) = {id(forward.args[2]): forward.args[2] for forward in forwards.values()}.values()
    with substituted(forwards):
        net(images()).sum().backward()
        with torch.no_grad():
            net(images())
    assert len(found) == 0


def test_what_was_written_over_is_computed_anew() -> None:
    relu = build_net(SPACE.parse(ALL_CONV3), **SMALL)
    forward = next(iter(training_forwards(relu).values()))
    x = torch.randn(3, 3, requires_grad=True) * 1
    first = forward(x)
    assert forward(x) is first
    x.sub_(1)
    assert torch.equal(forward(x), x.relu())


def test_no_graph_is_shared_between_passes() -> None:
    forward = next(iter(training_forwards(build_net(SPACE.parse(ALL_CONV3), **SMALL)).values()))
    leaf = torch.randn(3, requires_grad=True)
    for _ in range(2):
        forward(leaf).square().sum().backward()
    inner = leaf * 1
    with torch.no_grad():
        assert not forward(inner).requires_grad
    assert forward(inner).requires_grad


def test_leaves_modules_of_others_alone() -> None:
    own = nn.Sequential(nn.ReLU(), nn.AvgPool2d(3, 1, 1), build_net(SPACE.parse(ALL_CONV3), **SMALL))
    chosen = training_forwards(own)
    assert len(chosen) == sum(isinstance(module, nn.ReLU) for module in own[2].modules())
    assert not {own[0], own[1]} & chosen.keys()


def test_leaves_forwards_of_their_own_alone() -> None:
    net = build_net(SPACE.parse(POOLED), **SMALL)
    with substituted(training_forwards(net)):
        assert not training_forwards(net)
    assert not any("forward" in vars(module) for module in net.modules())


def test_hooks_are_called_and_may_take_an_output_s_place() -> None:
    """Each module has hooks of its own, though the result is shared."""
    net = build_net(SPACE.parse(ALL_CONV3), **SMALL)
    relus = [module for module in net.blocks[0].modules() if isinstance(module, nn.ReLU)]
    x = torch.randn(2, 3, requires_grad=True) * 1
    with substituted(training_forwards(net)):
        hook = relus[0].register_forward_hook(lambda module, inputs, output: output + 1)
        assert torch.equal(relus[0](x), x.relu() + 1)
        assert torch.equal(relus[1](x), x.relu())
    hook.remove()
