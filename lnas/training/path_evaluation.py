"""Accuracy and loss of paths through a supernet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.weak import WeakIdKeyDictionary

from lnas.data.batches import Batch
from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.choice import OperationChoice
from lnas.nets.layers import ReluConvBn
from lnas.nets.region_net import RegionNet
from lnas.nets.training_forwards import Forward, training_forwards
from lnas.proxies.substitution import substituted
from lnas.randomness import isolated_randomness
from lnas.training.norm_statistics import (
    NormStatistics,
    averaged_statistics,
    no_statistics,
    norms_of,
    statistics_replaced,
)
from lnas.types import Arch

Statistics = Literal["batch", "running", "recalibrated"]
"""What batch norms go by: the batch that is evaluated, what they kept in training, or the mean over batches on which
the path is run before."""

Found = MutableMapping[Tensor, dict[str, Tensor]]

_CALL = "evaluate_paths(...)"


class PathScore(NamedTuple):
    """A path over all images of some batches: accuracy as a fraction, mean cross-entropy."""

    accuracy: float
    loss: float


def evaluate_paths(
    net: RegionNet,
    archs: Iterable[Arch],
    batches: Iterable[Batch],
    statistics: Statistics = "batch",
    calibration: Iterable[Batch] = (),
) -> dict[Arch, PathScore]:
    """Evaluate paths through a supernet with the weights that it has.

    In eval mode, dropout and drop path off, without gradients. Each batch is made once and taken through all paths;
    what they compute alike in the stem and the first cell is computed once, and kept in memory as long as the batch:
    some 30 feature maps. Parameters, buffers, modes and generators are left as found.

    Args:
        net: The supernet, or the network of one architecture; batches are moved to where it lies.
        archs: Which paths; one that comes twice is evaluated once.
        batches: Images as the network takes them, and labels. Iterated once, also where it draws at random: the draws
            are the same in every call.
        statistics: What batch norms go by; with "batch", the study's, a score depends on the size of the batches.
        calibration: For "recalibrated", the batches whose statistics are averaged, each counting the same; a path keeps
            its own.

    Returns:
        Architecture -> score, in the order of `archs`. The loss of a path that has diverged is not finite.

    Raises:
        UsageError: If an architecture is outside the net's region, there are no batches, one has a single image where
            its own statistics are used, or batch norms keep none where they are to be used.

    Source: "batch" is the evaluation of Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural
    Architectures"; walkerning/aw_nas.
    """
    paths = list(dict.fromkeys(archs))
    _require_served(net, paths, statistics)
    device = net.classifier.weight.device
    totals, count = torch.zeros(len(paths), 2, dtype=torch.float64), 0
    with isolated_randomness(0), torch.inference_mode(), _eval_mode(net):
        of_path = _statistics_of_paths(net, paths, statistics, calibration)
        shared = _shared_forwards(net)
        for images, labels in batches:
            if statistics == "batch":
                _require_several(images)
            batch = images.to(device), labels.to(device)
            with substituted(shared):
                tallies = [_tally(net, arch, statistics, batch) for arch, statistics in of_path.items()]
            totals += torch.stack(tallies).cpu()
            count += len(labels)
    if not count:
        raise UsageError(complaint(_CALL, "at least one batch", 0, "Give it images."))
    return {arch: PathScore(*mean) for arch, mean in zip(paths, (totals / count).tolist(), strict=True)}


def _tally(net: RegionNet, arch: Arch, statistics: NormStatistics, batch: Batch) -> Tensor:
    """Return how many images a path classifies correctly, and its summed cross-entropy."""
    images, labels = batch
    with statistics_replaced(statistics):
        logits = net(images, arch).float()
    loss = functional.cross_entropy(logits, labels, reduction="sum")
    return torch.stack([(logits.argmax(1) == labels).sum(), loss])


def _statistics_of_paths(
    net: RegionNet, paths: Sequence[Arch], statistics: Statistics, calibration: Iterable[Batch]
) -> dict[Arch, NormStatistics]:
    """Return what each path's batch norms are to use instead of what they have."""
    norms = norms_of(net)
    if statistics == "batch":
        return dict.fromkeys(paths, no_statistics(norms))
    if statistics == "running":
        return {arch: {} for arch in paths}
    images = [each.to(net.classifier.weight.device) for each, _ in calibration]
    if not images:
        expected = "at least one batch of images as `calibration`, with statistics='recalibrated'"
        raise UsageError(complaint(_CALL, expected, 0, "Training batches are usual."))
    for each in images:
        _require_several(each)
    return {arch: averaged_statistics(norms, partial(net, arch=arch), images) for arch in paths}


def _shared_forwards(net: RegionNet) -> dict[nn.Module, Forward]:
    """Return forwards that compute once what several paths, or several edges, make of the same tensor.

    Paths have the same tensors in the stem and, as far as they agree, in the first cell: a fifteenth of a supernet of
    15 cells. All later ones differ, whose results are held no longer than their inputs.
    """
    found: Found = WeakIdKeyDictionary()
    named = {module: (str(module), forward) for module, forward in training_forwards(net).items()}
    own = {module: (path, module.forward) for path, module in net.named_modules() if _is_shared(path, module, net)}
    return {module: partial(_once, name, forward, found) for module, (name, forward) in (named | own).items()}


def _is_shared(path: str, module: nn.Module, net: RegionNet) -> bool:
    """Tell whether a module with weights takes one tensor, which several paths may have in common."""
    parent = net.get_submodule(path.rpartition(".")[0])
    is_operation = isinstance(parent, OperationChoice) and any(True for _ in module.parameters())
    return is_operation or isinstance(module, ReluConvBn) or path == net.stages.get("stem")


def _once(name: str, forward: Forward, found: Found, x: Tensor) -> Tensor:
    outputs = found.setdefault(x, {})
    if name not in outputs:
        outputs[name] = forward(x)
    return outputs[name]


@contextmanager
def _eval_mode(net: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in net.modules()]
    net.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _require_served(net: RegionNet, paths: Sequence[Arch], statistics: str) -> None:
    if statistics not in get_args(Statistics):
        raise UsageError(f"{_CALL}: {unknown_name('statistics', statistics, get_args(Statistics))}")
    if not paths:
        raise UsageError(complaint(_CALL, "at least one architecture", paths, "`space.sample(rng)` draws one."))
    for arch in paths:
        if arch not in net.region:
            expected = f"archs of the net's region of {net.region.space}"
            raise UsageError(complaint(_CALL, expected, str(arch), f"The region is {net.region}."))
    if statistics != "batch" and any(norm.running_mean is None for norm in norms_of(net)):
        call = f"evaluate_paths(statistics={statistics!r})"
        step = "Build the supernet with track_running_stats=True, or take statistics='batch'."
        raise UsageError(complaint(call, "batch norms that keep running statistics", "some without", step))


def _require_several(images: Tensor) -> None:
    if len(images) < 2:
        step = "Choose a batch size that leaves no single image over, or statistics='running'."
        raise UsageError(
            complaint(_CALL, "at least two images in a batch whose statistics are used", len(images), step)
        )
