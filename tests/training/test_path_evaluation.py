"""Scores of paths against the stand-alone nets, and that nothing is left behind."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lnas.errors import UsageError
from lnas.nets import RegionNet, build_net, build_supernet
from lnas.spaces import (
    DartsSpace,
    NasBench1Shot1Space,
    NatsTopologySpace,
    NdsResNetSpace,
    NdsResNeXtASpace,
    SearchSpace,
)
from lnas.training import PathScore, evaluate_paths
from lnas.types import Arch, Region

NATS, DARTS, ONESHOT = NatsTopologySpace(), DartsSpace(), NasBench1Shot1Space(1)


def shallow(space: SearchSpace) -> Region:
    region = space.region
    depths, widths, others = region.choices[:3], region.choices[3:6], region.choices[6:]
    return Region(space.name, (*(each[:2] for each in depths), *(each[:3] for each in widths), *others))


REGIONS: dict[str, tuple[SearchSpace, Region, dict[str, int]]] = {
    "nats_topology": (NATS, NATS.region, {"channels": 8, "cells": 1}),
    "darts": (DARTS, DARTS.region, {"channels": 2, "cells": 2}),
    "nasbench1shot1_1": (ONESHOT, ONESHOT.region, {"channels": 4, "cells": 1}),
    "nds_resnet": (NdsResNetSpace(), shallow(NdsResNetSpace()), {"channels": 4}),
    "nds_resnext_a": (NdsResNeXtASpace(), shallow(NdsResNeXtASpace()), {"channels": 4}),
}
each_space = pytest.mark.parametrize("name", REGIONS)
Batch = tuple[Tensor, Tensor]


def supernet(name: str = "nats_topology", **options: Any) -> RegionNet:
    """Build one whose running statistics and affine parameters are those of some training."""
    torch.manual_seed(0)
    _, region, size = REGIONS[name]
    net = build_supernet(region, **{**size, "affine": True, **options})
    for norm in norms(net):
        if norm.affine:
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
        if norm.running_mean is not None:
            nn.init.normal_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.5, 2)
    return net


def norms(net: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]


def some_archs(name: str = "nats_topology", count: int = 3) -> list[Arch]:
    space, region, _ = REGIONS[name]
    rng = np.random.default_rng(3)
    return [space.sample_from(region, rng) for _ in range(count)]


def batches(*sizes: int) -> list[Batch]:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(size, 3, 8, 8, generator=generator), torch.randint(10, (size,), generator=generator))
        for size in sizes
    ]


def measured(logits_of: Any, given: list[Batch]) -> PathScore:
    with torch.no_grad():
        logits = torch.cat([logits_of(images) for images, _ in given])
    labels = torch.cat([labels for _, labels in given])
    accuracy = (logits.argmax(1) == labels).double().mean()
    return PathScore(float(accuracy), float(functional.cross_entropy(logits, labels)))


def assert_close(found: dict[Arch, PathScore], expected: dict[Arch, PathScore]) -> None:
    assert list(found) == list(expected)
    for arch, score in expected.items():
        assert found[arch].accuracy == pytest.approx(score.accuracy, abs=1e-12)
        assert found[arch].loss == pytest.approx(score.loss, rel=1e-4)


@each_space
def test_batch_statistics_are_those_of_the_stand_alone_net_in_train_mode(name: str) -> None:
    net, archs, given = supernet(name), some_archs(name), batches(7, 5)
    expected = {arch: measured(copy.deepcopy(net.subnet(arch)).train(), given) for arch in archs}
    assert_close(evaluate_paths(net, archs, given), expected)


@each_space
def test_running_statistics_are_those_of_the_stand_alone_net_in_eval_mode(name: str) -> None:
    net, archs, given = supernet(name), some_archs(name), batches(4, 1)
    expected = {arch: measured(net.subnet(arch).eval(), given) for arch in archs}
    assert_close(evaluate_paths(net.train(), archs, given, "running"), expected)


@each_space
def test_recalibrated_statistics_are_averaged_for_each_path_by_itself(name: str) -> None:
    net, archs, given, calibration = supernet(name), some_archs(name), batches(4, 6), batches(5, 8, 3)
    expected = {}
    for arch in archs:
        alone = copy.deepcopy(net.subnet(arch))
        for norm in norms(alone):
            norm.reset_running_stats()
            norm.momentum = None
        for images, _ in calibration:
            with torch.no_grad():
                alone.train()(images)
        expected[arch] = measured(alone.eval(), given)
    assert_close(evaluate_paths(net, archs, given, "recalibrated", calibration), expected)


def test_dropout_and_drop_path_are_off() -> None:
    arch = some_archs("darts")[0]
    torch.manual_seed(0)
    net = build_net(arch, channels=4, cells=3, drop_path=0.9)
    net.head.append(nn.Dropout(0.9))
    given = batches(6)
    dropped = evaluate_paths(net.train(), [arch], given)
    net.head[-1].p = 0.0
    net.set_drop_path(0.0)
    assert_close(dropped, {arch: measured(copy.deepcopy(net).train(), given)})


def test_without_running_statistics_the_batch_is_used() -> None:
    net, archs, given = supernet(), some_archs(), batches(7)
    same = supernet(track_running_stats=False)
    same.load_state_dict(net.state_dict(), strict=False)
    assert evaluate_paths(net, archs, given) == evaluate_paths(same, archs, given)


@pytest.mark.parametrize("statistics", ["batch", "running", "recalibrated"])
def test_a_score_does_not_depend_on_the_other_paths(statistics: Any) -> None:
    """What paths share is computed once, and only that."""
    net, archs, given = supernet(), some_archs(count=8), batches(6, 6)

    def scores(archs: list[Arch]) -> dict[Arch, PathScore]:
        return evaluate_paths(net, archs, given, statistics, batches(5))

    assert scores(archs) == {arch: scores([arch])[arch] for arch in archs}
    assert list(evaluate_paths(net, [archs[2], archs[0], archs[2]], given)) == [archs[2], archs[0]]


def test_stem_and_first_cell_compute_each_batch_once() -> None:
    net, calls = supernet(), Counter[str]()
    archs = [Arch(NATS.name, (3, 0, 2, 3, gene, 1)) for gene in (0, 1, 3, 4)]
    for path in ("stem.0", *(f"blocks.{block}.edges.0->1.nor_conv_3x3.1" for block in (0, 2))):
        net.get_submodule(path).register_forward_hook(lambda *arguments, path=path: calls.update([path]))
    evaluate_paths(net, archs, batches(4, 4, 4))
    assert list(calls.values()) == [3, 3, 12]


def state(net: nn.Module) -> dict[str, Any]:
    attributes = {name: set(vars(module)) for name, module in net.named_modules()}
    modes = {name: (module.training, getattr(module, "momentum", None)) for name, module in net.named_modules()}
    buffers = {name: id(buffer) for name, buffer in net.named_buffers()}
    tensors = {name: tensor.numpy().tobytes() for name, tensor in net.state_dict().items()}
    gradients = [None if weight.grad is None else weight.grad.numpy().tobytes() for weight in net.parameters()]
    generators = torch.get_rng_state().numpy().tobytes(), str(np.random.get_state()), random.getstate()  # noqa: NPY002
    return {
        "attributes": attributes,
        "modes": modes,
        "buffers": buffers,
        "tensors": tensors,
        "gradients": gradients,
        "generators": generators,
    }


@pytest.mark.parametrize("name", ["nats_topology", "nds_resnet"])
@pytest.mark.parametrize("statistics", ["batch", "running", "recalibrated"])
def test_everything_is_left_as_found(name: str, statistics: Any) -> None:
    net = supernet(name).train()
    net.stem.eval()
    net.classifier.weight.grad = torch.ones_like(net.classifier.weight)
    before = state(net)

    def drawn() -> Iterator[Batch]:
        yield torch.randn(3, 3, 8, 8), torch.randint(10, (3,))

    evaluate_paths(net, some_archs(name), drawn(), statistics, batches(4))
    assert state(net) == before


@pytest.mark.parametrize("statistics", ["batch", "recalibrated"])
def test_everything_is_left_as_found_where_it_fails(statistics: Any) -> None:
    net = supernet()
    before = state(net)
    with pytest.raises(UsageError, match="at least two images in a batch whose statistics are used, got 1"):
        evaluate_paths(net, some_archs(), batches(4, 1), statistics, batches(4, 1))
    assert state(net) == before


def test_random_batches_are_drawn_alike_in_every_call() -> None:
    def drawn() -> Iterator[Batch]:
        yield torch.randn(3, 3, 8, 8), torch.randint(10, (3,))

    net, archs = supernet(), some_archs()
    assert evaluate_paths(net, archs, drawn()) == evaluate_paths(net, archs, drawn())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"archs": [Arch("nats_topology", (0, 0, 0, 0, 0, 7))]}, "got 'nats_topology:0-0-0-0-0-7'"),
        ({"archs": [Arch("darts", (0,) * 28)]}, "archs of the net's region of nats_topology, got 'darts:"),
        ({"archs": []}, "at least one architecture"),
        ({"batches": []}, "at least one batch, got 0"),
        ({"statistics": "runing"}, "unknown statistics 'runing'. Did you mean 'running'"),
        ({"statistics": "recalibrated"}, "at least one batch of images as `calibration`"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        evaluate_paths(supernet(), **{"archs": some_archs(), "batches": batches(4), **arguments})


@pytest.mark.parametrize("statistics", ["running", "recalibrated"])
def test_statistics_that_were_not_kept_are_refused(statistics: Any) -> None:
    with pytest.raises(UsageError, match="batch norms that keep running statistics"):
        evaluate_paths(supernet(track_running_stats=False), some_archs(), batches(4), statistics, batches(4))
