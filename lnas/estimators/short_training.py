"""Short training on a proxy subset, and truncated training on all images: the same estimator with other numbers."""

from __future__ import annotations

import copy
import hashlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from lnas.analysis.readings import TAIL
from lnas.data import DataProtocol, ImageData, Split, proxy_subset
from lnas.errors import LnasError, UsageError, complaint, unknown_name
from lnas.estimators.averaging import mean_estimate
from lnas.estimators.base import Estimator
from lnas.estimators.directions import OF_SHORT_TRAINING
from lnas.estimators.short_training_settings import (
    VARIANTS,
    Limit,
    LossAt,
    Schedule,
    ShortTrainingProtocolName,
    check_limits,
)
from lnas.estimators.short_training_trivial import WORST_ANGLE, WORST_LOSS, is_trivial
from lnas.nets.names import Compiled, Initialization
from lnas.seeds import derive_seed
from lnas.store import protocol_key
from lnas.types import Arch, Estimate, Region, describe

if TYPE_CHECKING:
    from torch import nn

    from lnas.training.short_training import ShortTraining, ShortTrainingRecord

_EVALUATED_AT_ONCE = 1000


@dataclass(frozen=True)
class ShortTrainingProtocol:
    """Everything that decides a short training's numbers.

    Attributes:
        proxy: Fingerprint of the images that are trained on.
        validation: Fingerprint of those that accuracy is measured on; empty where it is not.
        steps: Of the optimizer; 0 where `epochs` decides.
        trivial_cells: What becomes of cells that learn nothing.
    """

    net: Any
    init: str
    data: DataProtocol
    proxy: str
    validation: str
    classes: int | None
    images_per_class: int | None
    steps: int
    epochs: int
    batch_size: int | None
    lr: float
    momentum: float
    weight_decay: float
    schedule: str
    augment: bool
    loss_at: str
    trivial_cells: str
    repeats: int
    batch_norm: str = "batch statistics"
    dtype: str = "float32"


class ShortTrainingEstimator(Estimator):
    """Train for a few full-batch steps on a few images, and measure what that did to the network.

    | measure | what | better |
    |---|---|---|
    | `angle` | theta_pred: angle in radians between the classifier's weights before and after | lower |
    | `angle_feat` | theta_feat: the same of all other weights | higher |
    | `loss` | cross-entropy over the images that were trained on, the mean over batches | lower |
    | `loss_area` | sum of the losses of all steps: the training-speed estimate | lower |
    | `loss_tail` | mean of the losses of the last ten steps, or of all where there are fewer | lower |
    | `train_acc@E`, `val_acc@E` | with `epochs=E`: fraction of the training and the validation images | higher |

    The details keep `curves`, of `angle` the angle after each step, of `loss` the loss of each step before its update,
    and the angle's `cosine`. With several repeats, values and curves are means.

    A candidate may be a `Region`: its supernet is trained as a uniform mixture of all its paths, as pruning searches
    do. Truncated training, the baseline of TEG-NAS and Lightweight NAS, is `epochs=12, classes=None,
    images_per_class=None, batch_size=256, lr=0.1, schedule="cosine", init="pytorch"`; see `truncated_training`.

    Args:
        net: Builds the network of an architecture; a `NetBuilder` that of a region, too.
        data: Where the images are drawn from: the training split.
        protocol: "as_published" follows the text of ST-NAS, "as_released" its code: Kaiming-normal weights, the loss of
            the last step, and cells that learn nothing (cosine >= 0.95, or no weights in a cell) put last, by an angle
            of pi/2 and a loss of 100. As published they are kept, and searches collapse onto them.
        classes: Classes of the proxy subset; None takes all.
        images_per_class: Images of each; None takes all.
        steps: Steps of the optimizer. ST-NAS takes 100 for the supernet of the topology space.
        epochs: Instead of steps, passes through the images.
        batch_size: Images per step, shuffled anew in each pass; None takes all at once.
        lr: Learning rate of SGD. ST-NAS takes 0.5 on the DARTS space.
        momentum: Nesterov momentum.
        weight_decay: On all parameters.
        schedule: "cosine" lets the learning rate fall to zero, epoch by epoch.
        init: Initial weights by name; None is the protocol's.
        augment: Whether each step sees the images cropped and flipped anew, as the data allows.
        loss_at: "after": over the images, as they are, after the last update (Algorithm 1). "last_step": of the last
            step, before its update. None is the protocol's.
        repeats: Trainings with other weights and augmentations; values are means.
        proxy_seed: Decides the subset, which all candidates share.
        accelerator: As for a Lightning Trainer.
        compiled: How `torch.compile` makes each network's passes: "reduce-overhead" uses CUDA graphs. Compiling takes
            seconds to minutes per candidate and needs a compiler; on the CPUs where it was tried it did not pay.
        checkpoints: Folder where the end of each training is kept. A training of more steps, otherwise alike, goes on
            from there and gives the same numbers, bit for bit, as one that was never interrupted.

    Raises:
        UsageError: If an argument is none of these, or the data has fewer classes or images.

    Source: Yang et al., "Revisiting Training-free NAS Metrics", Sec. 3.2, 3.3 and 4, Algorithm 1, and its supplement;
    the defaults are its. `loss_area` and `loss_tail`: Ru et al. 2021, "Speedy Performance Estimation for NAS".
    """

    def __init__(
        self,
        net: Callable[[Arch, int], Any],
        data: ImageData,
        protocol: ShortTrainingProtocolName = "as_published",
        classes: int | None = 10,
        images_per_class: int | None = 10,
        steps: int = 50,
        epochs: int | None = None,
        batch_size: int | None = None,
        lr: float = 0.2,
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        schedule: Schedule = "constant",
        init: Initialization | None = None,
        augment: bool = True,
        loss_at: LossAt | None = None,
        repeats: int = 1,
        proxy_seed: int = 0,
        accelerator: str = "auto",
        compiled: Compiled = "off",
        checkpoints: str | None = None,
    ) -> None:
        for name, value, known in (
            ("protocol", protocol, VARIANTS),
            ("schedule", schedule, get_args(Schedule)),
            ("init", init, (None, *get_args(Initialization))),
            ("loss_at", loss_at, (None, *get_args(LossAt))),
            ("compiled", compiled, get_args(Compiled)),
        ):
            if value not in known:
                choices = [choice for choice in known if choice is not None]
                raise UsageError(f"ShortTrainingEstimator({name}={value!r}): {unknown_name(name, str(value), choices)}")
        counts = {
            "classes": classes,
            "images_per_class": images_per_class,
            "steps": steps,
            "epochs": epochs,
            "batch_size": batch_size,
            "repeats": repeats,
        }
        check_limits(
            [Limit(name, value, value is None or value >= 1, f"{name} >= 1") for name, value in counts.items()]
            + [
                Limit("classes", classes, (classes or 1) <= data.num_classes, _at_most(data)),
                Limit("lr", lr, lr > 0, "lr > 0"),
                Limit("momentum", momentum, 0 < momentum < 1, "0 < momentum < 1"),
                Limit("weight_decay", weight_decay, weight_decay >= 0, "weight_decay >= 0"),
            ]
        )
        if schedule == "cosine" and epochs is None:
            call = "ShortTrainingEstimator(schedule='cosine', epochs=None)"
            raise UsageError(complaint(call, "epochs, over which the rate falls", None, "Example: epochs=12."))
        if checkpoints is not None and epochs is not None:
            call = f"ShortTrainingEstimator(epochs={epochs}, checkpoints={checkpoints!r})"
            raise UsageError(complaint(call, "a number of steps", f"epochs={epochs}", "Leave checkpoints out."))
        variant = VARIANTS[protocol]
        self._net = net
        self._data = data
        self._classes = classes
        self._images_per_class = images_per_class
        self._steps = steps
        self._epochs = epochs
        self._batch_size = batch_size
        self._lr = lr
        self._momentum = momentum
        self._weight_decay = weight_decay
        self._schedule = schedule
        self._init: Initialization = init or variant.init
        self._augment = augment
        self._loss_at = loss_at or variant.loss_at
        self._trivial_cells = variant.trivial_cells
        self._repeats = repeats
        self._proxy_seed = proxy_seed
        self._accelerator = accelerator
        self._compiled: Compiled = compiled
        self._checkpoints = None if checkpoints is None else Path(checkpoints)

    @property
    def measures(self) -> Mapping[str, bool]:
        return {**OF_SHORT_TRAINING, **dict.fromkeys(self._accuracies, True)}

    @property
    def steps(self) -> int | None:
        """How many steps; None where epochs decide."""
        return None if self._epochs else self._steps

    def shortened(self, steps: int, checkpoints: str | None = None) -> ShortTrainingEstimator:
        """Return the estimator of a training of fewer or more steps, otherwise alike.

        Raises:
            UsageError: If this one counts by epochs, or there is less than one step.
        """
        if self._epochs is not None or steps < 1:
            call = f"shortened(steps={steps})"
            step = "An estimator with epochs has no steps to cut."
            raise UsageError(complaint(call, "steps >= 1 of an estimator that counts by steps", steps, step))
        other = copy.copy(self)
        other.__dict__.pop("protocol", None)
        other._steps = steps
        other._checkpoints = None if checkpoints is None else Path(checkpoints)
        return other

    @cached_property
    def protocol(self) -> ShortTrainingProtocol:
        return ShortTrainingProtocol(
            net=describe(self._net),
            init=self._init,
            data=self._data.protocol,
            proxy=self.proxy.fingerprint(),
            validation=self._data.splits["val"].fingerprint() if self._epochs else "",
            classes=self._classes,
            images_per_class=self._images_per_class,
            steps=0 if self._epochs else self._steps,
            epochs=self._epochs or 0,
            batch_size=self._batch_size,
            lr=self._lr,
            momentum=self._momentum,
            weight_decay=self._weight_decay,
            schedule=self._schedule,
            augment=self._augment,
            loss_at=self._loss_at,
            trivial_cells=self._trivial_cells,
            repeats=self._repeats,
        )

    @cached_property
    def proxy(self) -> Split:
        """The images that every candidate trains on."""
        return proxy_subset(self._data.splits["train"], self._classes, self._images_per_class, self._proxy_seed)

    def estimate(self, candidate: Arch | Region, *, seed: int) -> dict[str, Estimate]:
        repeats = [self._estimate_once(candidate, seed, repeat) for repeat in range(self._repeats)]
        return {name: mean_estimate([[estimates[name]] for estimates in repeats]) for name in self.measures}

    def _estimate_once(self, candidate: Arch | Region, seed: int, repeat: int) -> dict[str, Estimate]:
        from lnas.nets import isolated_randomness

        started = time.perf_counter()
        own_seed = derive_seed(seed, candidate, "short_training", repeat)
        with isolated_randomness(own_seed):
            try:
                net = self._built(candidate)
                record = self._train(net, own_seed)
            except LnasError:
                raise
            except Exception as error:  # whatever a candidate's network does, the search goes on
                return dict.fromkeys(self.measures, Estimate.failure(error, time.perf_counter() - started))
        seconds = time.perf_counter() - started
        values, details = self._values(record), _details(record)
        if self._trivial_cells != "kept" and math.isfinite(values["angle"]):
            details["angle"]["trivial"] = is_trivial(net, record.angle.cosine)
            if details["angle"]["trivial"]:
                values |= {"angle": WORST_ANGLE, "loss": WORST_LOSS}
        return {name: Estimate.of(value, seconds, details.get(name)) for name, value in values.items()}

    def _built(self, candidate: Arch | Region) -> nn.Module:
        from lnas.nets import initialize

        net = self._net(candidate, self._data.num_classes)  # type: ignore[arg-type]  # builders of regions are rare
        initialize(net, self._init)
        return net

    def _train(self, net: nn.Module, own_seed: int) -> ShortTrainingRecord:
        from lnas.data.module import StepDataModule
        from lnas.training.short_training import train_shortly

        steps = None if self._epochs else self._steps
        data = StepDataModule(self.proxy, self._data, own_seed, steps, self._batch_size, self._augment)
        earlier, kept_as = self._checkpoint_files(own_seed)
        record = train_shortly(net, self._data.num_classes, data, self._training(), earlier, kept_as)
        if earlier and kept_as:
            earlier.unlink(missing_ok=True)
        return record

    def _training(self) -> ShortTraining:
        import torch

        from lnas.data.batches import PreparedBatches
        from lnas.training import Retraining
        from lnas.training.short_training import ShortTraining

        evaluated_at_once = self._batch_size or len(self.proxy)
        proxy = PreparedBatches(self.proxy, self._data, evaluated_at_once)
        sets = {"train": self.proxy, "val": self._data.splits["val"]} if self._epochs else {}
        rule = Retraining(epochs=self._epochs or 1, lr=self._lr).make_schedule if self._schedule == "cosine" else None
        return ShortTraining(
            steps=self._steps,
            epochs=self._epochs,
            optimizer=partial(
                torch.optim.SGD,
                lr=self._lr,
                momentum=self._momentum,
                weight_decay=self._weight_decay,
                nesterov=True,
                fused=True,
            ),
            schedule=rule,
            final=proxy if self._loss_at == "after" else (),
            accuracy_sets={
                f"{name}_acc@{self._epochs}": PreparedBatches(split, self._data, _EVALUATED_AT_ONCE)
                for name, split in sets.items()
            },
            accelerator=self._accelerator,
            compiled=self._compiled,
        )

    @property
    def _accuracies(self) -> list[str]:
        return [f"train_acc@{self._epochs}", f"val_acc@{self._epochs}"] if self._epochs else []

    def _values(self, record: ShortTrainingRecord) -> dict[str, float]:
        return {
            "angle": record.angle.angle,
            "angle_feat": record.features.angle,
            "loss": record.loss.after if self._loss_at == "after" else record.loss.last,
            "loss_area": record.loss.area,
            "loss_tail": record.loss.mean_of_last(min(TAIL, len(record.loss.steps))),
            **record.accuracy.accuracies,
        }

    def _checkpoint_files(self, own_seed: int) -> tuple[Path | None, Path | None]:
        """Return the longest training of fewer steps that was kept, if any, and where to keep this one."""
        if self._checkpoints is None:
            return None, None
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        alike = f"{protocol_key(replace(self.protocol, steps=0))} {own_seed}"
        name = hashlib.sha256(alike.encode()).hexdigest()[:24]
        kept = {int(path.stem.rsplit("-", 1)[1]): path for path in self._checkpoints.glob(f"{name}-*.ckpt")}
        earlier = [steps for steps in kept if steps < self._steps]
        return kept[max(earlier)] if earlier else None, self._checkpoints / f"{name}-{self._steps}.ckpt"


def truncated_training(
    net: Callable[[Arch, int], Any], data: ImageData, epochs: int = 12, batch_size: int = 256
) -> ShortTrainingEstimator:
    """Return the estimator that trains on all images for a few epochs, as NATS-Bench trains (Dong et al. 2021).

    Its `val_acc@1` is the baseline of TEG-NAS, its `val_acc@12` that of Lightweight NAS: SGD with learning rate 0.1
    that falls to zero over the epochs by a cosine, Nesterov momentum 0.9, weight decay 5e-4, batches of 256. A last
    smaller batch is dropped, which NATS-Bench keeps.

    Args:
        net: As for the estimator.
        data: As for the estimator.
        epochs: Passes through the training images.
        batch_size: Images per step.
    """
    return ShortTrainingEstimator(
        net,
        data,
        classes=None,
        images_per_class=None,
        epochs=epochs,
        batch_size=batch_size,
        lr=0.1,
        schedule="cosine",
        init="pytorch",
    )


def _at_most(data: ImageData) -> str:
    return f"classes <= {data.num_classes}, which is all that {data.name!r} has"


def _details(record: ShortTrainingRecord) -> dict[str, dict[str, Any]]:
    return {
        "angle": {
            "cosine": record.angle.cosine if math.isfinite(record.angle.angle) else None,
            "curves": {"angle": _points([angle for _, angle in record.angle.history])},
        },
        "loss": {"curves": {"loss": _points(record.loss.steps)}},
    }


def _points(curve: list[float]) -> list[float | None]:
    """Return a curve as JSON takes it."""
    return [value if math.isfinite(value) else None for value in curve]
