"""A supernet under a Lightning Trainer, trained path by path."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lnas.data.batches import Batch
from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.region_net import RegionNet
from lnas.seeds import derive_seed
from lnas.spaces import SPACES, SearchSpace
from lnas.training.active_parameters import Inactive, divide_gradients, shares, zero_missing_gradients
from lnas.training.candidate_module import OptimizerFactory, ScheduleFactory
from lnas.training.input_dropout import dropped_inputs
from lnas.training.path_sampling import PathSampler, UniformPaths
from lnas.training.weight_sharing import REGION, WeightSharingModule
from lnas.types import Arch, describe

DivideBy = Literal["active", "samples"]
"""What the summed gradients of a step's paths are divided by: for each parameter the number of paths in which it was
active, as in the study of one-shot estimators, or for all of them the number of paths."""

STUDY_OPTIMIZER: OptimizerFactory = partial(torch.optim.SGD, lr=0.05, momentum=0.9, weight_decay=5e-4)
"""The study's on NATS topology and DARTS; 1shot1 has lr=0.025, NDS spaces have weight_decay=5e-5."""

STUDY_SCHEDULE: ScheduleFactory = partial(ReduceLROnPlateau, factor=0.5, patience=30)
"""The study's in all spaces, of the training loss."""

_EPOCH_LOSS = "supernet_epoch_loss"


class SupernetModule(WeightSharingModule):
    """Train a supernet by cross-entropy on sampled paths: at each step some, all on the same batch.

    What a step trains depends on the seed and its number alone, so that a training that is resumed needs no state of a
    sampler, all processes of a distributed one take the same paths, and so do the batches that are accumulated into one
    step. Dropout masks depend on the batch and the process, too. A step that is resumed sees the same images where the
    data module is such, like `StepDataModule`.

    Batches are (images, labels). After each epoch `train_loss`, the mean over its steps, paths and processes, and `lr`
    are logged, unless the Trainer is bare-bones; the options are logged as hyper-parameters. Gradients are divided
    before Lightning clips them. The losses of all paths of a step are differentiated at once, so that memory grows with
    their number.

    Under DDP, a path leaves parameters unused: pass `strategy="ddp_find_unused_parameters_true"`. There Lightning
    reshuffles what a loader's sampler yields unless `use_distributed_sampler=False`. Batch norms see the images of
    their own process, except under `sync_batchnorm=True`, which CPUs do not have.

    Args:
        net: The supernet; its device and running statistics are as for any network.
        seed: Decides paths and dropout, together with the number of the step.
        paths: Which paths; `UniformPaths()` is any of the supernet's region.
        samples: How many paths a step trains, rounds of them where the sampler draws rounds.
        optimizer: Makes the optimizer from all parameters; "study" is `STUDY_OPTIMIZER`.
        schedule: Makes a `ReduceLROnPlateau`, which is given the training loss of each epoch, or a scheduler with
            timm's `step(epoch)`; "study" is `STUDY_SCHEDULE`, None keeps the learning rate.
        divide_by: What summed gradients are divided by; see `DivideBy`.
        inactive: What becomes of parameters that no path of a step uses; see `Inactive`. "decayed" does so from the
            first step on, where in the study it began with the first that used a parameter.
        dropout: Probability with which inputs of the classifier are dropped in training; the study's is 0.1, in NDS
            spaces none.
        clip: The largest norm of a step's gradient; None, as in the study's NDS spaces, leaves that to the Trainer.
        space: Where the architectures are from; None is ours of the name that the supernet's region has.

    Raises:
        UsageError: If an option is unknown or out of range, or the sampler cannot draw from this supernet; when it is
            fitted, if the strategy cannot have unused parameters, or a checkpoint is of another region.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures"; walkerning/aw_nas.
    """

    def __init__(
        self,
        net: RegionNet,
        seed: int = 0,
        paths: PathSampler | None = None,
        samples: int = 1,
        optimizer: OptimizerFactory | Literal["study"] = "study",
        schedule: ScheduleFactory | Literal["study"] | None = "study",
        divide_by: DivideBy = "active",
        inactive: Inactive = "decayed",
        dropout: float = 0.1,
        clip: float | None = 5.0,
        space: SearchSpace | None = None,
    ) -> None:
        super().__init__()
        _require_options(samples, divide_by, inactive, dropout, clip)
        self.net = net
        self.loss = nn.CrossEntropyLoss()
        self.space = _space_of(net) if space is None else space
        self.paths = UniformPaths() if paths is None else paths
        self._samples = samples
        self._seed = seed
        self._optimizer = STUDY_OPTIMIZER if optimizer == "study" else optimizer
        self._schedule = STUDY_SCHEDULE if schedule == "study" else schedule
        self._divide_by = divide_by
        self._inactive = inactive
        self._dropout = dropout
        self._clip = clip
        self._shares: dict[Tensor, float] = {}
        self._loss_sum = torch.zeros(())
        self._batches = 0
        self._lr = 0.0
        options = {
            REGION: str(net.region),
            "paths": describe(self.paths),
            "samples": samples,
            "seed": seed,
            "optimizer": describe(self._optimizer),
            "schedule": describe(self._schedule),
            "divide_by": divide_by,
            "inactive": inactive,
            "dropout": dropout,
            "clip": clip,
        }
        self.save_hyperparameters(options)

    @property
    def paths(self) -> PathSampler:
        """Which paths are trained from the next step on. Whoever sets another keeps it through checkpoints."""
        return self._paths

    @paths.setter
    def paths(self, paths: PathSampler) -> None:
        paths.check(self.space, self.net.region)
        self._paths = paths

    def paths_at(self, step: int) -> tuple[Arch, ...]:
        """Return the paths of a step, counted from 0 through the whole training as Lightning's `global_step` is."""
        rng = np.random.default_rng(derive_seed(self._seed, "paths", step))
        rounds = (self.paths.draw(self.space, self.net.region, rng) for _ in range(self._samples))
        return tuple(arch for drawn in rounds for arch in drawn)

    def forward(self, images: Tensor, arch: Arch | None = None) -> Tensor:
        return self.net(images, arch)

    def setup(self, stage: str) -> None:
        strategy = self.trainer.strategy
        if isinstance(strategy, DDPStrategy) and not strategy._ddp_kwargs.get("find_unused_parameters"):
            expected = "strategy='ddp_find_unused_parameters_true', since a path leaves parameters unused"
            got = type(strategy).__name__
            raise UsageError(complaint("Trainer(strategy=...)", expected, got, "Pass that to the Trainer."))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        images, labels = batch
        step = self.trainer.global_step
        seed = derive_seed(self._seed, "dropout", step, batch_idx, self.global_rank)
        with dropped_inputs(self.net.classifier, self._dropout, seed):
            losses = [self.loss(self.net(images, arch), labels) for arch in self.paths_at(step)]
        loss = torch.stack(losses).mean()
        if torch.is_grad_enabled():  # otherwise somebody measures, and nothing is trained
            self._shares = shares(losses) if self._divide_by == "active" and len(losses) > 1 else {}
            self._loss_sum = self._loss_sum.to(loss.device) + loss.detach().float()
            self._batches += 1
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:
        divide_gradients(self._shares)
        if self._inactive == "decayed":
            zero_missing_gradients(optimizer)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        own = self._clip is not None and gradient_clip_val is None
        self.clip_gradients(
            optimizer,
            gradient_clip_val=self._clip if own else gradient_clip_val,
            gradient_clip_algorithm="norm" if own else gradient_clip_algorithm,
        )

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(self.net.parameters())
        if self._schedule is None:
            return optimizer
        # Lightning steps what it knows as a plateau schedule after the epoch's checkpoint, and not at all on resuming.
        schedule = {"scheduler": self._schedule(optimizer), "interval": "epoch", "reduce_on_plateau": False}
        return [optimizer], [schedule]

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Set the learning rate of the next epoch."""
        scheduler.step(self._mean_loss() if isinstance(scheduler, ReduceLROnPlateau) else self.current_epoch + 1)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Not when the epoch starts: resumed after the last batch of one, Lightning goes on as if within the next.
        if batch_idx == 0:
            self._loss_sum, self._batches = torch.zeros((), device=self.device), 0
            self._lr = self.trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_epoch_end(self) -> None:
        if not self.trainer.barebones:
            self.log_dict({"train_loss": self._mean_loss(), "lr": self._lr})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint[_EPOCH_LOSS] = {"sum": float(self._summed_loss()), "batches": self._batches, "lr": self._lr}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        epoch = checkpoint[_EPOCH_LOSS]
        self._loss_sum, self._batches, self._lr = torch.tensor(epoch["sum"]), epoch["batches"], epoch["lr"]

    def _summed_loss(self) -> Tensor:
        """Return the loss, summed over the epoch's batches so far and averaged over the processes."""
        # A copy, since it is reduced in place.
        return self.trainer.strategy.reduce(self._loss_sum.to(self.device, copy=True), reduce_op="mean")

    def _mean_loss(self) -> float:
        return float(self._summed_loss()) / max(1, self._batches)


def _require_options(samples: int, divide_by: str, inactive: str, dropout: float, clip: float | None) -> None:
    call = "SupernetModule(...)"
    if clip is not None and not clip > 0:
        raise UsageError(complaint(call, "clip > 0, or None", clip, "The study's is 5."))
    if type(samples) is not int or samples < 1:
        raise UsageError(complaint(call, "samples >= 1", samples, "The study's is 1."))
    if not 0 <= dropout < 1:
        raise UsageError(complaint(call, "0 <= dropout < 1", dropout, "The study's is 0.1."))
    for kind, name, known in (("divide_by", divide_by, DivideBy), ("inactive", inactive, Inactive)):
        if name not in get_args(known):
            raise UsageError(f"{call}: {unknown_name(kind, name, get_args(known))}")


def _space_of(net: RegionNet) -> SearchSpace:
    name = net.region.space
    if name not in SPACES:
        raise UsageError(f"SupernetModule(net): {unknown_name('space', name, SPACES)} Pass one of your own as `space`.")
    return SPACES[name]()
