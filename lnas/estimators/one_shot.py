"""Accuracy and loss of an architecture with the weights of trained supernets."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, get_args

from lnas.data import DataProtocol, ImageData, SplitName
from lnas.errors import LnasError, UsageError, complaint, unknown_name
from lnas.estimators.averaging import mean_estimate
from lnas.estimators.base import Estimator
from lnas.estimators.devices import fastest_device
from lnas.estimators.directions import OF_ONE_SHOT
from lnas.nets import NetBuilder
from lnas.nets.supernet_file import SupernetFile
from lnas.spaces import SPACES
from lnas.spaces.isomorphs import classes_within
from lnas.types import Arch, Estimate, Region, describe

if TYPE_CHECKING:
    from lnas.data.batches import Batch
    from lnas.nets.region_net import RegionNet

Statistics = Literal["batch", "running", "recalibrated"]
Members = Literal["own", "class"]
Device = Literal["auto", "cpu"]

Found = dict[str, Estimate]


@dataclass(frozen=True)
class OneShotProtocol:
    """Everything that decides a one-shot number; the seed decides none.

    Attributes:
        weights: Hash of each file's content.
        supernet: The options with which the supernets were built; None where the files say them.
        members: Whose scores an architecture's is the mean of.
        num_classes: Outputs.
        statistics: What batch norms go by.
        batches: How many batches are evaluated; None is all.
        batch_size: Images per batch.
        split: Fingerprint of the images that are evaluated.
        calibration: How many training batches the statistics are averaged over; 0 where they are not.
        calibration_split: Fingerprint of the training images; empty where none are seen.
        data: What is done to the images.
    """

    weights: tuple[str, ...]
    supernet: Any
    members: str
    num_classes: int
    statistics: str
    batches: int | None
    batch_size: int
    split: str
    calibration: int
    calibration_split: str
    data: DataProtocol
    dtype: str = "float32"


class OneShotEstimator(Estimator):
    """Evaluate an architecture as a path through a trained supernet, on the same images for all.

    | measure | what | better |
    |---|---|---|
    | `oneshot_acc` | fraction of the images that are classified correctly | higher |
    | `oneshot_loss` | mean cross-entropy over the images | lower |

    Of several supernets both are the mean of what each alone gives, which is kept in the details. Each of them is
    loaded once for each process; the time that takes is nobody's. Of a path whose logits are not finite both measures
    are nonfinite: even of such a network a first class would seem to be predicted; so is every mean that it is part of.
    The seed decides nothing.

    Twins have other weights in the supernet, and with members="own" numbers of their own. With "class" they share the
    mean of the numbers of all of them, the study's post-deiso, which evaluates each class once for each process and
    costs as many paths as it has members: on NATS topology 15,625 for all 6,466 classes, at most 275 for one. An
    estimate that was known has no seconds.

    Args:
        net: Not used: no network is built for an architecture.
        data: Where the images are from.
        weights: The supernet: a `.ckpt` file as a `SupernetModule`'s Trainer writes it, of any region, or a state dict
            of the supernet of a whole space: `.safetensors`, or what `torch.save` wrote. Of a list of files the scores
            are averaged.
        supernet: The options with which those supernets were built; `auxiliary` and `drop_path` are none of them. None
            is those that a checkpoint of `lnas supernet` holds, and else those of the published supernet.
        members: Whose scores an architecture's is the mean of: its own alone, or those of its class of isomorphic
            architectures, as far as they are in the supernet's region. For a region of up to a million.
        batches: How many batches, the first ones of the split, in its order and not augmented; None is all, the last of
            which may be smaller.
        batch_size: Images per batch.
        statistics: What batch norms go by: "batch", the study's, is the batch that is evaluated; "running" what they
            kept in training; "recalibrated" the mean over training batches for each path by itself.
        calibration: How many batches that is, the first ones of the training split, not augmented.
        split: Which images.
        device: Where: "auto" is this machine's accelerator, or its CPU if there is none.

    Raises:
        UsageError: If an argument is none of these. When it estimates: if a file cannot be read or is of another
            supernet, the architecture is outside its region, the region's classes cannot be listed, the split has fewer
            batches, or batch norms would go by a batch of a single image.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", post-deiso in
    Sec. 6.2, the mean over three supernets in Fig. 9; walkerning/aw_nas, whose score by loss is its negative.
    """

    def __init__(
        self,
        net: Callable[[Arch, int], Any],
        data: ImageData,
        weights: Sequence[str] | str,
        supernet: NetBuilder | None = None,
        members: Members = "own",
        batches: int | None = None,
        batch_size: int = 128,
        statistics: Statistics = "batch",
        calibration: int = 10,
        split: SplitName = "val",
        device: Device = "auto",
    ) -> None:
        for name, value, known in (
            ("members", members, get_args(Members)),
            ("statistics", statistics, get_args(Statistics)),
            ("split", split, get_args(SplitName)),
            ("device", device, get_args(Device)),
        ):
            if value not in known:
                raise UsageError(f"OneShotEstimator({name}={value!r}): {unknown_name(name, str(value), known)}")
        _require_number("batches", 1 if batches is None else batches, 1, "None takes all.")
        _require_number("calibration", calibration, 1, "Example: calibration=10.")
        fewest, step = (1, "The study's is 128.") if statistics == "running" else (2, "One image has no statistics.")
        _require_number("batch_size", batch_size, fewest, step)
        self._data = data
        self._files = tuple(map(SupernetFile, _listed(weights)))
        self._builder = supernet
        self._members: Members = members
        self._batches = batches
        self._batch_size = batch_size
        self._statistics: Statistics = statistics
        self._calibration = calibration if statistics == "recalibrated" else 0
        self._split: SplitName = split
        self._device = device

    def __getstate__(self) -> dict[str, Any]:
        rebuilt = ("_loaded", "_classes", "_known")
        return {name: value for name, value in self.__dict__.items() if name not in rebuilt}

    @property
    def measures(self) -> Mapping[str, bool]:
        return OF_ONE_SHOT

    @cached_property
    def protocol(self) -> OneShotProtocol:
        return OneShotProtocol(
            weights=tuple(file.fingerprint for file in self._files),
            supernet=describe(self._builder),
            members=self._members,
            num_classes=self._data.num_classes,
            statistics=self._statistics,
            batches=self._batches,
            batch_size=self._batch_size,
            split=self._data.splits[self._split].fingerprint(),
            calibration=self._calibration,
            calibration_split=self._data.splits["train"].fingerprint() if self._calibration else "",
            data=self._data.protocol,
        )

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        paths = [(supernet, self._paths_of(candidate, supernet)) for supernet in self._supernets_of(candidate)]
        started = time.perf_counter()
        try:
            return self._shared(candidate, paths) if self._members == "class" else self._averaged(paths)
        except LnasError:
            raise
        except Exception as error:  # whatever a candidate's path does, the search goes on
            return dict.fromkeys(self.measures, Estimate.failure(error, time.perf_counter() - started))

    def _shared(self, candidate: Arch, paths: Sequence[tuple[RegionNet, Sequence[Arch]]]) -> Found:
        """Return what is known of the candidate's class, and measure what is not."""
        representative = SPACES[candidate.space]().canonical(candidate)
        known = self._known.get(representative)
        if known is not None:
            return {name: replace(estimate, seconds=0.0) for name, estimate in known.items()}
        return self._known.setdefault(representative, self._averaged(paths))

    def _averaged(self, paths: Sequence[tuple[RegionNet, Sequence[Arch]]]) -> Found:
        """Average over supernets."""
        each = [self._measured(supernet, archs) for supernet, archs in paths]
        return {name: mean_estimate([[found[name]] for found in each]) for name in self.measures}

    def _measured(self, supernet: RegionNet, archs: Sequence[Arch]) -> Found:
        """Average over paths through one supernet."""
        from lnas.training.path_evaluation import evaluate_paths

        images = self._first("batches", self._split, self._batches)
        calibration = self._first("calibration", "train", self._calibration)
        started = time.perf_counter()
        scores = evaluate_paths(supernet, archs, images, self._statistics, calibration).values()
        seconds = time.perf_counter() - started
        loss = _mean([score.loss for score in scores])
        accuracy = _mean([score.accuracy for score in scores]) if math.isfinite(loss) else math.nan
        values = {"oneshot_acc": accuracy, "oneshot_loss": loss}
        detail = {"members": len(archs)} if self._members == "class" else {}
        return {name: Estimate.of(value, seconds, detail) for name, value in values.items()}

    @cached_property
    def _loaded(self) -> dict[str, list[RegionNet]]:
        """Space -> the supernets."""
        return {}

    @cached_property
    def _classes(self) -> dict[Region, dict[Arch, tuple[Arch, ...]]]:
        """Region -> representative -> members."""
        return {}

    @cached_property
    def _known(self) -> dict[Arch, Found]:
        """Representative -> what all members have in common."""
        return {}

    def _supernets_of(self, candidate: Arch) -> list[RegionNet]:
        import torch

        if not isinstance(candidate, Arch) or candidate.space not in SPACES:
            step = f"Supernets are of {', '.join(SPACES)}."
            raise UsageError(complaint(self._call, "an Arch of a space that has supernets", str(candidate), step))
        space = candidate.space
        if space not in self._loaded:
            device = fastest_device() if self._device == "auto" else torch.device("cpu")
            classes = self._data.num_classes
            self._loaded[space] = [file.load(space, self._builder, classes).to(device) for file in self._files]
        return self._loaded[space]

    def _paths_of(self, candidate: Arch, supernet: RegionNet) -> Sequence[Arch]:
        """Return whose scores in a supernet the candidate's is the mean of."""
        region = supernet.region
        if candidate not in region:
            expected = f"an arch of the supernet's region of {region.space}"
            raise UsageError(complaint(self._call, expected, str(candidate), f"The region is {region}."))
        space = SPACES[candidate.space]()
        if self._members == "own" or space.class_count == space.size:
            return (candidate,)
        if region not in self._classes:
            self._classes[region] = classes_within(space, region, "OneShotEstimator(members='class')")
        return self._classes[region][space.canonical(candidate)]

    @property
    def _call(self) -> str:
        return f"OneShotEstimator({', '.join(str(file.path) for file in self._files)!r}).estimate(arch)"

    def _first(self, name: str, split: SplitName, count: int | None) -> Iterable[Batch]:
        """Return the first batches of a split, all if `count` is None; they are made as they are asked for."""
        from lnas.data.batches import PreparedBatches

        images = self._data.splits[split]
        there = math.ceil(len(images) / self._batch_size)
        if count is not None and count > there:
            call = f"OneShotEstimator({name}={count}, batch_size={self._batch_size})"
            expected = f"at most {there} batches, the {len(images)} images of split {split!r}"
            raise UsageError(complaint(call, expected, count, "Lower it."))
        return PreparedBatches(images, self._data, self._batch_size, count)


def _listed(weights: Sequence[str] | str) -> list[str]:
    paths = [weights] if isinstance(weights, str | PathLike) else list(weights)
    if not paths or len({*paths}) < len(paths):
        expected = "one file, or several of which each is named once"
        raise UsageError(complaint("OneShotEstimator(weights=...)", expected, weights, "Example: [a.ckpt, b.ckpt]."))
    return paths


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _require_number(name: str, value: int, least: int, step: str) -> None:
    if type(value) is not int or value < least:
        raise UsageError(complaint(f"OneShotEstimator({name}={value!r})", f"{name} >= {least}", value, step))
