"""Short training on a proxy subset: the angle of the classifier and the training loss."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Literal

from lnas.data import DataProtocol, ImageData, Split, proxy_subset
from lnas.errors import LnasError, UsageError, complaint
from lnas.estimators.base import Estimator
from lnas.nets.names import Initialization
from lnas.seeds import derive_seed
from lnas.types import Arch, Estimate, describe


@dataclass(frozen=True)
class ShortTrainingProtocol:
    """Everything that decides a short training's numbers."""

    net: Any
    init: str
    data: DataProtocol
    proxy: str
    classes: int
    images_per_class: int
    steps: int
    lr: float
    momentum: float
    weight_decay: float
    augment: bool
    loss_at: str
    batch_norm: str = "batch statistics"
    dtype: str = "float32"


class ShortTrainingEstimator(Estimator):
    """Train for a few full-batch steps on a few images; measure `angle` and `loss`. Lower is better for both.

    `angle` is theta_pred, the angle in radians between the classifier's weights before and after; `loss` is the
    cross-entropy over the proxy set. The details keep the curve of the loss over the steps and the angle's cosine.

    Args:
        net: Builds the network of an architecture; its `classifier` is what turns.
        data: Where the proxy subset is drawn from: the training split.
        classes: Classes of the proxy subset.
        images_per_class: Images of each.
        steps: Full-batch steps.
        lr: Constant learning rate of SGD.
        momentum: Nesterov momentum.
        weight_decay: On all parameters.
        init: Initial weights by name.
        augment: Whether each step sees the images cropped and flipped anew, as the data allows.
        loss_at: "after": over the proxy set, as it is, after the last update (as published, Algorithm 1). "last_step":
            of the last step, before its update (as released).
        proxy_seed: Decides the subset, which all candidates share.
        accelerator: As for a Lightning Trainer.

    Source: Yang et al., "Revisiting Training-free NAS Metrics", Sec. 3.3 and 4, Algorithm 1; the defaults are its. The
    rule of its released code that scores nearly unturned classifiers 0 is not applied.
    """

    def __init__(
        self,
        net: Callable[[Arch, int], Any],
        data: ImageData,
        classes: int = 10,
        images_per_class: int = 10,
        steps: int = 50,
        lr: float = 0.2,
        momentum: float = 0.9,
        weight_decay: float = 5e-4,
        init: Initialization = "kaiming_uniform",
        augment: bool = True,
        loss_at: Literal["after", "last_step"] = "after",
        proxy_seed: int = 0,
        accelerator: str = "auto",
    ) -> None:
        for name, value in {"classes": classes, "images_per_class": images_per_class, "steps": steps}.items():
            if value < 1:
                call = f"ShortTrainingEstimator({name}={value})"
                raise UsageError(complaint(call, f"{name} >= 1", value, "Raise it."))
        for name, rate, sound in (
            ("lr > 0", lr, lr > 0),
            ("0 < momentum < 1", momentum, 0 < momentum < 1),
            ("weight_decay >= 0", weight_decay, weight_decay >= 0),
        ):
            if not sound:
                raise UsageError(complaint("ShortTrainingEstimator(...)", name, rate, "Change it."))
        if classes > data.num_classes:
            raise UsageError(
                complaint(
                    f"ShortTrainingEstimator(classes={classes})",
                    f"classes <= {data.num_classes}, which is all that {data.name!r} has",
                    classes,
                    "Ask for fewer.",
                )
            )
        self._net = net
        self._data = data
        self._classes = classes
        self._images_per_class = images_per_class
        self._steps = steps
        self._lr = lr
        self._momentum = momentum
        self._weight_decay = weight_decay
        self._init: Initialization = init
        self._augment = augment
        self._loss_at = loss_at
        self._proxy_seed = proxy_seed
        self._accelerator = accelerator

    @property
    def measures(self) -> Mapping[str, bool]:
        return {"angle": False, "loss": False}

    @cached_property
    def protocol(self) -> ShortTrainingProtocol:
        return ShortTrainingProtocol(
            net=describe(self._net),
            init=self._init,
            data=self._data.protocol,
            proxy=self.proxy.fingerprint(),
            classes=self._classes,
            images_per_class=self._images_per_class,
            steps=self._steps,
            lr=self._lr,
            momentum=self._momentum,
            weight_decay=self._weight_decay,
            augment=self._augment,
            loss_at=self._loss_at,
        )

    @cached_property
    def proxy(self) -> Split:
        """The subset that every candidate trains on."""
        return proxy_subset(self._data.splits["train"], self._classes, self._images_per_class, self._proxy_seed)

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        from lnas.nets import isolated_randomness

        started = time.perf_counter()
        with isolated_randomness(derive_seed(seed, candidate, "short_training")):
            try:
                values, detail = self._train(candidate)
            except LnasError:
                raise
            except Exception as error:  # whatever a candidate's network does, the search goes on
                failure = Estimate.failure(error, time.perf_counter() - started)
                return dict.fromkeys(self.measures, failure)
        seconds = time.perf_counter() - started
        return {name: Estimate.of(value, seconds, detail.get(name)) for name, value in values.items()}

    def _train(self, candidate: Arch) -> tuple[dict[str, float], dict[str, dict[str, Any]]]:
        import torch

        from lnas.data.batches import prepare
        from lnas.data.module import ProxyDataModule
        from lnas.nets import initialize
        from lnas.training import CandidateModule, honest_signals, quiet_lightning, short_trainer
        from lnas.training.callbacks import AngleCallback, LossCallback

        net = self._net(candidate, self._data.num_classes)
        initialize(net, self._init)
        optimizer = partial(
            torch.optim.SGD, lr=self._lr, momentum=self._momentum, weight_decay=self._weight_decay, nesterov=True
        )
        module = CandidateModule(net, self._data.num_classes, optimizer)
        data = ProxyDataModule(self.proxy, self._data, self._steps, self._augment)
        angle = AngleCallback("net.classifier")
        whole = torch.from_numpy(self.proxy.images), torch.from_numpy(self.proxy.labels)
        loss = LossCallback([prepare(whole, self._data, augment=False)] if self._loss_at == "after" else [])
        with quiet_lightning(), honest_signals():
            short_trainer(self._steps, [angle, loss], self._accelerator).fit(module, datamodule=data)
        detail: dict[str, dict[str, Any]] = {
            "angle": {"cosine": angle.cosine if math.isfinite(angle.angle) else None},
            "loss": {"curves": {"loss": [value if math.isfinite(value) else None for value in loss.steps]}},
        }
        return {"angle": angle.angle, "loss": loss.after if self._loss_at == "after" else loss.last}, detail
