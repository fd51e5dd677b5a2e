"""Accuracy and loss of an architecture with the weights of a trained supernet."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, get_args

from lnas.data import DataProtocol, ImageData, SplitName
from lnas.errors import LnasError, UsageError, complaint, unknown_name
from lnas.estimators.base import Estimator
from lnas.estimators.devices import fastest_device
from lnas.estimators.directions import OF_ONE_SHOT
from lnas.estimators.supernet_file import SupernetFile
from lnas.nets import NetBuilder
from lnas.nets.subnets import DEFAULT_SUPERNET
from lnas.spaces import SPACES
from lnas.types import Arch, Estimate, describe

if TYPE_CHECKING:
    from lnas.data.batches import Batch
    from lnas.nets.region_net import RegionNet

Statistics = Literal["batch", "running", "recalibrated"]
Device = Literal["auto", "cpu"]


@dataclass(frozen=True)
class OneShotProtocol:
    """Everything that decides a one-shot number; the seed decides none.

    Attributes:
        weights: Hash of the file's content.
        supernet: The options with which the supernet was built.
        num_classes: Outputs.
        statistics: What batch norms go by.
        batches: How many batches are evaluated; None is all.
        batch_size: Images per batch.
        split: Fingerprint of the images that are evaluated.
        calibration: How many training batches the statistics are averaged over; 0 where they are not.
        calibration_split: Fingerprint of the training images; empty where none are seen.
        data: What is done to the images.
    """

    weights: str
    supernet: Any
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

    The supernet is loaded once for each process; the time that takes is nobody's. Of a path whose logits are not finite
    both measures are nonfinite: even of such a network a first class would seem to be predicted. The seed decides
    nothing. Twins have other weights in the supernet, and numbers of their own.

    Args:
        net: Not used: no network is built for an architecture.
        data: Where the images are from.
        weights: The supernet: a `.ckpt` file as a `SupernetModule`'s Trainer writes it, of any region, or a state dict
            of the supernet of a whole space: `.safetensors`, or what `torch.save` wrote.
        supernet: The options with which that supernet was built; `auxiliary` and `drop_path` are none of them.
        batches: How many batches, the first ones of the split, in its order and not augmented; None is all, the last of
            which may be smaller.
        batch_size: Images per batch.
        statistics: What batch norms go by: "batch", the study's, is the batch that is evaluated; "running" what they
            kept in training; "recalibrated" the mean over training batches for each path by itself.
        calibration: How many batches that is, the first ones of the training split, not augmented.
        split: Which images.
        device: Where: "auto" is this machine's accelerator, or its CPU if there is none.

    Raises:
        UsageError: If an argument is none of these. When it estimates: if the file cannot be read or is of another
            supernet, the architecture is outside its region, the split has fewer batches, or batch norms would go by a
            batch of a single image.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures"; walkerning/aw_nas,
    whose score by loss is its negative.
    """

    def __init__(
        self,
        net: Callable[[Arch, int], Any],
        data: ImageData,
        weights: str,
        supernet: NetBuilder = DEFAULT_SUPERNET,
        batches: int | None = None,
        batch_size: int = 128,
        statistics: Statistics = "batch",
        calibration: int = 10,
        split: SplitName = "val",
        device: Device = "auto",
    ) -> None:
        for name, value, known in (
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
        self._file = SupernetFile(weights)
        self._builder = supernet
        self._batches = batches
        self._batch_size = batch_size
        self._statistics: Statistics = statistics
        self._calibration = calibration if statistics == "recalibrated" else 0
        self._split: SplitName = split
        self._device = device

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}

    @property
    def measures(self) -> Mapping[str, bool]:
        return OF_ONE_SHOT

    @cached_property
    def protocol(self) -> OneShotProtocol:
        return OneShotProtocol(
            weights=self._file.fingerprint,
            supernet=describe(self._builder),
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
        from lnas.training.path_evaluation import evaluate_paths

        supernet = self._supernet_of(candidate)
        images = self._first("batches", self._split, self._batches)
        calibration = self._first("calibration", "train", self._calibration)
        started = time.perf_counter()
        try:
            score = evaluate_paths(supernet, [candidate], images, self._statistics, calibration)[candidate]
        except LnasError:
            raise
        except Exception as error:  # whatever a candidate's path does, the search goes on
            return dict.fromkeys(self.measures, Estimate.failure(error, time.perf_counter() - started))
        seconds = time.perf_counter() - started
        accuracy = score.accuracy if math.isfinite(score.loss) else math.nan
        values = {"oneshot_acc": accuracy, "oneshot_loss": score.loss}
        return {name: Estimate.of(values[name], seconds) for name in self.measures}

    @cached_property
    def _loaded(self) -> dict[str, RegionNet]:
        return {}

    def _supernet_of(self, candidate: Arch) -> RegionNet:
        import torch

        if not isinstance(candidate, Arch) or candidate.space not in SPACES:
            call = f"OneShotEstimator({str(self._file.path)!r}).estimate(arch)"
            step = f"Supernets are of {', '.join(SPACES)}."
            raise UsageError(complaint(call, "an Arch of a space that has supernets", str(candidate), step))
        space = candidate.space
        if space not in self._loaded:
            device = fastest_device() if self._device == "auto" else torch.device("cpu")
            self._loaded[space] = self._file.load(space, self._builder, self._data.num_classes).to(device)
        return self._loaded[space]

    def _first(self, name: str, split: SplitName, count: int | None) -> Iterable[Batch]:
        """Return the first batches of a split, all if `count` is None; they are made as they are asked for."""
        from lnas.data.batches import PreparedBatches

        images = self._data.splits[split]
        there = math.ceil(len(images) / self._batch_size)
        if count is not None and count > there:
            call = f"OneShotEstimator({name}={count}, batch_size={self._batch_size})"
            expected = f"at most {there} batches, the {len(images)} images of split {split!r}"
            raise UsageError(complaint(call, expected, count, "Lower it."))
        return islice(PreparedBatches(images, self._data, self._batch_size), count)


def _require_number(name: str, value: int, least: int, step: str) -> None:
    if type(value) is not int or value < least:
        raise UsageError(complaint(f"OneShotEstimator({name}={value!r})", f"{name} >= {least}", value, step))
