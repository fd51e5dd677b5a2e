"""Whether architectures pull the weights that they share the same way."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lnas.data.batches import Batch
from lnas.errors import UsageError, complaint
from lnas.nets.region_net import RegionNet
from lnas.randomness import isolated_randomness
from lnas.seeds import derive_seed
from lnas.training.callbacks.diagnosis import DiagnosisCallback, described
from lnas.training.callbacks.path_scores import require_supernet
from lnas.training.norm_statistics import no_statistics, norms_of, statistics_replaced
from lnas.training.path_sampling import UniformPaths
from lnas.training.supernet_module import SupernetModule
from lnas.types import Arch

Pair = tuple[Arch, Arch]

WHOLE = "whole"
"""What the similarity of all stages together is called."""

_FEWEST = 2
_STEP = "Example: pairs=8, or list(itertools.combinations(archs, 2))."
_DRAWS_PER_ARCH = 100


class GradientSimilarityCallback(DiagnosisCallback):
    """Measure the cosine between the gradients of pairs of architectures on the same batch, by stage of the network.

    1 where two architectures pull the weights that both use the same way, negative where training one undoes what the
    other has learnt. The stages are those of the supernet's `stages`, each with what lies between it and the one
    before, such as the reduction; then the `classifier`, and all together, `whole`.

    Gradients are of the cross-entropy with batch statistics and without dropout, in the weights' own precision, and
    what they are taken of is `RegionNet.subnet`: gradients of the supernet, buffers, modes and generators are not
    touched, and a training with it is, bit for bit, one without it. It takes one forward and one backward pass for each
    architecture and batch, as long as a training step of that path, and memory for a gradient of each architecture.
    With several processes each measures all, and the first logs. Unless the Trainer is bare-bones, the numbers of
    `records` are logged as `gradient_similarity/NAME`.

    Args:
        batches: What gradients are taken on; the similarity of a pair is the mean of those on each batch.
        pairs: Which pairs; or of how many architectures all pairs, drawn once and uniformly from the supernet's region,
            each once, without cells that train nothing.
        every_n_epochs: How often.
        seed: Decides which architectures are drawn.

    Attributes:
        records: A dict for each time: `epoch`, counted from 1, `step`, `seconds` that it took, and for each stage
            `STAGE/count` of pairs, the `STAGE/mean` of their similarity in [-1, 1], and `STAGE/std`, that of a sample.
            Without a pair there is no mean, with less than two no std.
        similarities: A dict for each time: stage -> a number for each of `pairs`; NaN where the two share no weight in
            that stage, or a gradient is zero or not finite.
        pairs: Those that are compared; empty until training starts where they are drawn.
        seconds: What it took so far.

    Raises:
        UsageError: If an argument is none of these; when training starts, if the module is no `SupernetModule`, an
            architecture is outside its region, the region has fewer than are to be drawn, or a checkpoint is of other
            pairs; when it measures, if there is no batch, or one with a single image.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 5.3 and 6,
    Fig. A15: "the mean similarity between architecture pairs is lower in the middle-stage layers", and it grows with
    training. The main text says neither by which measure, nor on which batches; cosine and the restriction to weights
    that both use are ours.
    """

    similarities: list[dict[str, list[float]]]

    def __init__(
        self,
        batches: Iterable[Batch],
        pairs: int | Sequence[Pair] = 8,
        every_n_epochs: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(batches, every_n_epochs, "batch", "gradient_similarity")
        _require_pairs(pairs)
        self._given = pairs if isinstance(pairs, int) else list(pairs)
        self._seed = seed
        self.pairs: list[Pair] = [] if isinstance(self._given, int) else self._given

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        module = require_supernet(self._call, pl_module)
        if isinstance(self._given, int):
            self.pairs = list(itertools.combinations(self._drawn(module, self._given), 2))
        self._require_region(module, itertools.chain.from_iterable(self.pairs))

    def at_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, epoch: int) -> None:
        net = require_supernet(self._call, pl_module).net
        with self._stopwatch:
            precision = trainer.precision_plugin
            batches = map(precision.convert_input, self._batches)
            similarities = gradient_similarities(net, self.pairs, batches)
        self.similarities.append(similarities)
        found = {stage: described(values) for stage, values in similarities.items()}
        numbers = {f"{stage}/{name}": value for stage, each in found.items() for name, value in each.items()}
        self._record(trainer, pl_module, epoch, numbers)

    def state_dict(self) -> dict[str, Any]:
        return {**super().state_dict(), "compared": self._compared(), "similarities": list(self.similarities)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict["compared"] != self._compared():
            expected = f"pairs and seed of the checkpoint, {state_dict['compared']}"
            step = "Give those of the training that goes on."
            raise UsageError(complaint(self._call, expected, self._compared(), step))
        super().load_state_dict(state_dict)
        self.similarities = list(state_dict["similarities"])

    def _drawn(self, module: SupernetModule, count: int) -> list[Arch]:
        rng = np.random.default_rng(derive_seed(self._seed, "gradient similarity"))
        region, sampler = module.net.region, UniformPaths()
        draws = (sampler.draw(module.space, region, rng)[0] for _ in range(_DRAWS_PER_ARCH * count))
        drawn = list(itertools.islice(_each_once(draws), count))
        if len(drawn) < count:
            step = f"The region is {region}."
            raise UsageError(complaint(self._call, f"a region of {count} architectures", len(drawn), step))
        return drawn

    def _compared(self) -> str:
        """Return what decides which pairs are compared, as text."""
        if isinstance(self._given, int):
            return f"those of {self._given} by seed {self._seed}"
        return ", ".join(f"{one} with {other}" for one, other in self._given)

    def _forget(self) -> None:
        super()._forget()
        self.similarities = []


def gradient_similarities(net: RegionNet, pairs: Sequence[Pair], batches: Iterable[Batch]) -> dict[str, list[float]]:
    """Return the cosine between the gradients of pairs of architectures, as `GradientSimilarityCallback` says.

    Args:
        net: The supernet; batches are moved to where it lies.
        pairs: Of architectures of its region.
        batches: Images as the network takes them, and labels. Iterated once, also where it draws at random: the draws
            are the same in every call.

    Returns:
        Stage -> a number for each pair, in the order of stages and pairs.

    Raises:
        UsageError: If there is no batch, or one has a single image.
    """
    stages = stages_of_weights(net)
    names = [*dict.fromkeys(stages.values()), WHOLE]
    archs = list(dict.fromkeys(itertools.chain.from_iterable(pairs)))
    on_batches: list[list[dict[str, float]]] = []
    with isolated_randomness(0):
        for batch in batches:
            gradients = {arch: path_gradient(net, arch, batch) for arch in archs}
            on_batches.append([_cosines(gradients[one], gradients[other], stages) for one, other in pairs])
    if not on_batches:
        raise UsageError(complaint("gradient_similarities(...)", "at least one batch", 0, "Give it images."))
    return {name: [_mean(of_pair, name) for of_pair in zip(*on_batches, strict=True)] for name in names}


def path_gradient(net: RegionNet, arch: Arch, batch: Batch) -> dict[str, Tensor]:
    """Return the gradient of a path's mean cross-entropy by names of weights, of those that the path depends on.

    Of a weight of which it uses a part, the gradient is of that leading part. Batch norms use the batch's statistics.

    Raises:
        UsageError: If the batch has a single image.
    """
    device = net.classifier.weight.device
    images, labels = (each.to(device) for each in batch)
    if len(images) < _FEWEST:
        step = "Choose a batch size that leaves no single image over."
        raise UsageError(complaint("path_gradient(...)", "at least two images in a batch", len(images), step))
    subnet = net.subnet(arch).eval()
    weights = {name: weight for name, weight in subnet.named_parameters() if weight.requires_grad}
    with torch.enable_grad(), statistics_replaced(no_statistics(norms_of(subnet))):
        loss = functional.cross_entropy(subnet(images), labels)
        gradients = torch.autograd.grad(loss, list(weights.values()), allow_unused=True)
    return {name: each for name, each in zip(weights, gradients, strict=True) if each is not None}


def stages_of_weights(net: RegionNet) -> dict[str, str]:
    """Return for each weight of a network by name the stage that it is in, or `classifier`.

    A stage begins after the module whose output the one before is, so that reductions belong to what follows them.
    """
    places = {path: place for place, (path, _) in enumerate(net.named_modules())}
    ends = {stage: _last_within(module, places) for stage, module in net.stages.items()}
    of_weights = {name: places[name.rpartition(".")[0]] for name, _ in net.named_parameters()}
    return {
        name: next((stage for stage, end in ends.items() if place <= end), "classifier")
        for name, place in of_weights.items()
    }


def _last_within(module: str, places: Mapping[str, int]) -> int:
    return max(place for path, place in places.items() if f"{path}.".startswith(f"{module}."))


def _cosines(one: Mapping[str, Tensor], other: Mapping[str, Tensor], stages: Mapping[str, str]) -> dict[str, float]:
    """Return the cosine by stage, and whole, over the weights that two gradients have in common."""
    products: defaultdict[str, list[Tensor]] = defaultdict(list)
    for name in [name for name in one if name in other]:
        found = _products(*_common_part(one[name], other[name]))
        products[stages[name]].append(found)
        products[WHOLE].append(found)
    return {stage: _cosine(*torch.stack(parts).sum(dim=0).tolist()) for stage, parts in products.items()}


def _common_part(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Return what lies within both of two leading parts of the same weight."""
    part = tuple(slice(min(sizes)) for sizes in zip(one.shape, other.shape, strict=True))
    return one[part], other[part]


def _products(u: Tensor, v: Tensor) -> Tensor:
    """Return u.v, u.u and v.v."""
    u, v = u.flatten().double(), v.flatten().double()
    return torch.stack([u @ v, u @ u, v @ v])


def _cosine(product: float, square: float, other_square: float) -> float:
    lengths = math.sqrt(square) * math.sqrt(other_square)
    return min(1.0, max(-1.0, product / lengths)) if lengths > 0 and math.isfinite(lengths) else math.nan


def _mean(on_batches: Sequence[Mapping[str, float]], name: str) -> float:
    return float(np.mean([found.get(name, math.nan) for found in on_batches]))


def _each_once(archs: Iterable[Arch]) -> Iterator[Arch]:
    seen: set[Arch] = set()
    for arch in archs:
        if arch not in seen:
            seen.add(arch)
            yield arch


def _require_pairs(pairs: object) -> None:
    call = "GradientSimilarityCallback(pairs=...)"
    if type(pairs) is int:
        if pairs < _FEWEST:
            raise UsageError(complaint(call, "at least two architectures, of which to compare all pairs", pairs, _STEP))
    elif not isinstance(pairs, Sequence) or not pairs or not all(map(_is_pair, pairs)):
        raise UsageError(complaint(call, "pairs of architectures, or a number of architectures", pairs, _STEP))


def _is_pair(pair: object) -> bool:
    return isinstance(pair, tuple) and len(pair) == _FEWEST and all(isinstance(arch, Arch) for arch in pair)
