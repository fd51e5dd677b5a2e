"""A search that differentiates through the architecture, under a Lightning Trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Literal, NamedTuple, NoReturn, get_args

import torch
from timm.scheduler import CosineLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer

from lnas.data.batches import Batch
from lnas.errors import RunError, UsageError, complaint, unknown_name
from lnas.nets.choice import Pick
from lnas.nets.region_net import RegionNet
from lnas.nets.weighted_choice import scaled, weighted_choices
from lnas.seeds import derive_seed
from lnas.training.active_parameters import Inactive, zero_missing_gradients
from lnas.training.candidate_module import OptimizerFactory
from lnas.training.derivation import NoneChoice, derive
from lnas.training.edge_spaces import edge_space_of
from lnas.training.norm_statistics import no_statistics, norms_of, statistics_replaced
from lnas.training.relaxations import Relaxation, Softmax
from lnas.training.unrolled import PUBLISHED_RADIUS, unrolled_gradients
from lnas.training.weight_sharing import REGION, WeightSharingModule
from lnas.types import Arch, describe

Order = Literal["first", "second"]
"""What the gradient of the architecture is: that at the present weights, or that after one more step of them, through
which it goes. A step of the second order took 2.6 times as long (NATS topology, C=16, a cell per stage)."""

Edges = Literal["summed", "normalized"]
"""What becomes of the edges into a node: their sum, or, as in PC-DARTS, their mean with weights of their own."""

EpochSchedule = Callable[[Optimizer, int], Any]
"""Makes a scheduler with timm's `step(epoch)` of an optimizer and the number of epochs."""

DrawnFor = Literal["training", "validation"]


class Published(NamedTuple):
    """What a method is published with: the optimizers of weights and logits, and the schedule of the former."""

    optimizer: OptimizerFactory
    schedule: EpochSchedule
    architecture_optimizer: OptimizerFactory


_INITIAL_DEVIATION = 1e-3
_MOST_DRAWS = 1000
_EPOCH = "differentiable_epoch"


class DifferentiableModule(WeightSharingModule):
    """Train a supernet and, at the same time, by gradients of their own, the logits of its decisions.

    Each step first moves the logits down the gradient of the loss on images that no weight is trained on, then the
    weights on a training batch, as in DARTS' Algorithm 1; NATS-Bench's released algorithms do it the other way round.
    `derive()` is what the search ends in. The presets of `differentiable_methods` are DARTS, GDAS and PC-DARTS.

    Batches are (images, labels). Those of the logits are the data module's `validation_batch(step)`, as
    `StepDataModule` has. What is drawn depends on the seed and the number of the step alone, so that a training that is
    resumed ends as one that was never stopped; `global_step` counts the steps of the weights. After each epoch
    `train_loss` and `val_loss`, the means over its steps, `entropy` and `lr` are logged, unless the Trainer is
    bare-bones; the options are logged as hyper-parameters.

    Optimization is manual in Lightning's sense: clip by `clip`, and accumulate no batches. One process, and no float16.

    Args:
        net: The supernet, of NATS topology or DARTS.
        seed: Decides the initial logits, normal with a deviation of 0.001, and draws, together with the step.
        relaxation: What the supernet computes, given the logits.
        order: See `Order`; "second" takes an SGD as optimizer of the weights.
        radius: Of the finite difference of the second order; see `unrolled_gradients`.
        edges: See `Edges`.
        warmup_epochs: Epochs at the start in which the logits stay as they are.
        optimizer: Makes the optimizer of the weights; "published" is that of `published`, here and below.
        schedule: Makes the schedule of its learning rate; None keeps it.
        architecture_optimizer: Makes the optimizer of the logits.
        clip: The largest norm of a gradient of the weights; None is no limit.
        inactive: What becomes of weights that a step does not use; see `Inactive`.
        none: What `derive` does about `none`; see `NoneChoice`.

    Attributes:
        logits: For each decision with more than one choice a vector, one entry per choice of the region.
        edge_logits: For each node a vector, one entry per edge into it; empty unless `edges` are "normalized".
        published: The optimizers and the schedule of DARTS. NATS-Bench's released algorithms have another of the
            weights, with weight_decay=5e-4 and nesterov=True.

    Raises:
        UsageError: If the decisions of the space are no operations on edges, the region leaves nothing to decide, or an
            option is unknown or out of range; when it is fitted, for several processes, float16, no `max_epochs`, no
            `validation_batch`, or a checkpoint of another region.
        RunError: If a thousand draws leave a node of a DARTS cell without an edge.

    Source: Liu et al. 2019 (DARTS); quark0/darts, `cnn/train_search.py`; D-X-Y/AutoDL-Projects, `exps/NATS-algos`.
    """

    published: ClassVar = Published(
        partial(torch.optim.SGD, lr=0.025, momentum=0.9, weight_decay=3e-4),
        partial(CosineLRScheduler, lr_min=0.001),
        partial(torch.optim.Adam, lr=3e-4, betas=(0.5, 0.999), weight_decay=1e-3),
    )

    def __init__(
        self,
        net: RegionNet,
        seed: int = 0,
        relaxation: Relaxation | None = None,
        order: Order = "first",
        radius: float = PUBLISHED_RADIUS,
        edges: Edges = "summed",
        warmup_epochs: int = 0,
        optimizer: OptimizerFactory | Literal["published"] = "published",
        schedule: EpochSchedule | Literal["published"] | None = "published",
        architecture_optimizer: OptimizerFactory | Literal["published"] = "published",
        clip: float | None = 5.0,
        inactive: Inactive = "decayed",
        none: NoneChoice = "allowed",
    ) -> None:
        super().__init__()
        self._call = f"{type(self).__name__}(...)"
        self._space = edge_space_of(net.region, self._call)
        names = {
            "order": (order, Order),
            "edges": (edges, Edges),
            "inactive": (inactive, Inactive),
            "none": (none, NoneChoice),
        }
        self._require_options(net, radius, warmup_epochs, clip, names)
        self.automatic_optimization = False
        self.net = net
        self.loss = nn.CrossEntropyLoss()
        self._decisions = [k for k, allowed in enumerate(net.region.choices) if len(allowed) > 1]
        sizes = [len(net.region.choices[decision]) for decision in self._decisions]
        nodes = [len(node) for node in self._space.nodes] if edges == "normalized" else []
        generator = torch.Generator().manual_seed(derive_seed(seed, "logits"))
        self.logits = _initial_logits(sizes, generator)
        self.edge_logits = _initial_logits(nodes, generator)
        self._relaxation = Softmax() if relaxation is None else relaxation
        self._seed = seed
        self._order = order
        self._radius = radius
        self._warmup_epochs = warmup_epochs
        own = self.published
        self._optimizer = own.optimizer if optimizer == "published" else optimizer
        self._schedule = own.schedule if schedule == "published" else schedule
        self._architecture_optimizer = (
            own.architecture_optimizer if architecture_optimizer == "published" else architecture_optimizer
        )
        self._clip = clip
        self._inactive = inactive
        self._none = none
        self._scheduler: Any = None
        self._sums = {"train_loss": torch.zeros(()), "val_loss": torch.zeros(())}
        self._steps = {"train_loss": 0, "val_loss": 0}
        options = {
            REGION: str(net.region),
            "seed": seed,
            "relaxation": describe(self._relaxation),
            "order": order,
            "radius": radius,
            "edges": edges,
            "warmup_epochs": warmup_epochs,
            "optimizer": describe(self._optimizer),
            "schedule": describe(self._schedule),
            "architecture_optimizer": describe(self._architecture_optimizer),
            "clip": clip,
            "inactive": inactive,
            "none": none,
        }
        self.save_hyperparameters(options)

    def derive(self) -> Arch:
        """Return the architecture that the logits prefer; see `lnas.training.derivation.derive`."""
        with torch.no_grad():
            shares = iter([torch.softmax(vector, dim=0) for vector in self.logits])
            weights = [
                next(shares) if len(allowed) > 1 else torch.ones(1, device=self.device)
                for allowed in self.net.region.choices
            ]
            for decision, weight in self._edge_weights().items():
                weights[decision] = weights[decision] * weight
        return derive(self.net.region, [vector.cpu().numpy() for vector in weights], self._none)

    @property
    def entropy(self) -> float:
        """The mean entropy of the decisions, in nats: at first nearly the logarithm of the number of choices."""
        with torch.no_grad():
            entropies = [torch.distributions.Categorical(logits=vector).entropy() for vector in self.logits]
            return float(torch.stack(entropies).mean())

    def forward(self, images: Tensor, arch: Arch | None = None) -> Tensor:
        """Compute the logits of the classes by one path; None is that of `derive()`."""
        return self.net(images, self.derive() if arch is None else arch)

    def setup(self, stage: str) -> None:
        if stage != "fit":
            return
        trainer = self.trainer
        if trainer.world_size > 1:
            self._refuse("Trainer(devices=1)", trainer.world_size, "Gradients of the logits are of one process.")
        if trainer.precision == "16-mixed":
            self._refuse("Trainer(precision='bf16-mixed') or '32-true'", trainer.precision, "Pass that.")
        if trainer.max_epochs is None or trainer.max_epochs < 1:
            self._refuse("Trainer(max_epochs=...)", trainer.max_epochs, "Schedules go by the share of the epochs.")
        if trainer.max_epochs <= self._warmup_epochs:
            expected = f"more epochs than the {self._warmup_epochs} of warmup_epochs"
            self._refuse(expected, trainer.max_epochs, "In none the logits would move.")
        if not hasattr(trainer.datamodule, "validation_batch"):  # type: ignore[attr-defined]
            expected = "a data module with `validation_batch(step)`"
            self._refuse(expected, trainer.datamodule, "Example: fit(module, datamodule=StepDataModule(...)).")  # type: ignore[attr-defined]

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(self.net.parameters())
        if self._order == "second" and not isinstance(optimizer, torch.optim.SGD):
            self._refuse("an SGD where order='second'", type(optimizer).__name__, "Or take order='first'.")
        # No scheduler of Lightning's: those of timm go by the epoch alone, and so need no state.
        self._scheduler = None if self._schedule is None else self._schedule(optimizer, self._epochs)
        return [optimizer, self._architecture_optimizer([*self.logits, *self.edge_logits])], []

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        if not torch.is_grad_enabled():  # somebody measures, and nothing is trained
            return self._loss(batch, "training")
        if self._scheduler is not None:
            self._scheduler.step(self.current_epoch)
        if self.current_epoch >= self._warmup_epochs:
            self._step_logits(batch)
        return self._step_weights(batch)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        # Not when the epoch starts: resumed after the last batch of one, Lightning goes on as if within the next.
        if batch_idx == 0:
            self._sums = {name: torch.zeros((), device=self.device) for name in self._sums}
            self._steps = dict.fromkeys(self._steps, 0)

    def on_train_epoch_end(self) -> None:
        if not self.trainer.barebones:
            means = {name: self._sums[name] / steps for name, steps in self._steps.items() if steps}
            lr = self.trainer.optimizers[0].param_groups[0]["lr"]
            self.log_dict({**means, "entropy": self.entropy, "lr": lr})

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        sums = {name: float(total) for name, total in self._sums.items()}
        checkpoint[_EPOCH] = {"sums": sums, "steps": dict(self._steps)}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self._sums = {name: torch.tensor(total) for name, total in checkpoint[_EPOCH]["sums"].items()}
        self._steps = dict(checkpoint[_EPOCH]["steps"])

    def _step_logits(self, training_batch: Batch) -> None:
        batch = self.trainer.datamodule.validation_batch(self.trainer.global_step)  # type: ignore[attr-defined]
        logits = [*self.logits, *self.edge_logits]
        loss, gradients = self._validation_gradients(training_batch, batch, logits)
        for vector, gradient in zip(logits, gradients, strict=True):
            vector.grad = gradient
        optimizer = self.trainer.optimizers[1]  # not Lightning's wrapper of it, which would count another step
        optimizer.step()
        optimizer.zero_grad()
        self._note("val_loss", loss)

    def _validation_gradients(
        self, training_batch: Batch, batch: Batch, logits: Sequence[nn.Parameter]
    ) -> tuple[Tensor, Sequence[Tensor]]:
        if self._order == "first":
            loss = self._loss(batch, "validation")
            return loss, torch.autograd.grad(loss, logits, allow_unused=True, materialize_grads=True)
        optimizer = self.trainer.optimizers[0]
        assert isinstance(optimizer, torch.optim.SGD)
        # The weights are elsewhere for a while: running statistics of there are not to be kept.
        with statistics_replaced(no_statistics(norms_of(self.net))):
            return unrolled_gradients(
                lambda: self._loss(training_batch, "training"),
                lambda: self._loss(batch, "validation"),
                optimizer,
                logits,
                self._radius,
            )

    def _step_weights(self, batch: Batch) -> Tensor:
        optimizer = self.trainer.optimizers[0]
        optimizer.zero_grad()
        with torch.no_grad():
            picks = self._picks("training")
        loss = self._loss_by(picks, batch)
        self.manual_backward(loss)
        if self._inactive == "decayed":
            zero_missing_gradients(optimizer)
        if self._clip is not None:
            self.clip_gradients(optimizer, self._clip, "norm")
        self.optimizers()[0].step()  # type: ignore[index]  # by Lightning's wrapper, which counts the step
        self._note("train_loss", loss)
        return loss.detach()

    def _loss(self, batch: Batch, drawn_for: DrawnFor) -> Tensor:
        return self._loss_by(self._picks(drawn_for), batch)

    def _loss_by(self, picks: Sequence[Pick], batch: Batch) -> Tensor:
        images, labels = batch
        with weighted_choices(self.net):
            return self.loss(self.net.logits(images, picks), labels)

    def _picks(self, drawn_for: DrawnFor) -> list[Pick]:
        """Return what the supernet computes at this step, the same whenever it is asked for."""
        picks = self._drawn(drawn_for)
        for decision, weight in self._edge_weights().items():
            picks[decision] = scaled(picks[decision], weight)
        return picks

    def _drawn(self, drawn_for: DrawnFor) -> list[Pick]:
        seed = derive_seed(self._seed, "picks", self.trainer.global_step, drawn_for)
        generator = torch.Generator().manual_seed(seed)
        picks = {edge: pick for node in self._space.nodes for edge, pick in self._into(node, generator).items()}
        return [picks[decision] for decision in range(len(self.net.region.choices))]

    def _into(self, node: Sequence[int], generator: torch.Generator) -> dict[int, Pick]:
        """Draw the edges into a node, anew where it is left without one and its space does not have such nodes."""
        for _ in range(_MOST_DRAWS):
            picks = {edge: self._drawn_edge(edge, generator) for edge in node}
            none = all(isinstance(pick, int) and pick == self._space.none for pick in picks.values())
            if self._space.kept is None or not none:
                return picks
        expected, got = "an edge into each node", f"{_MOST_DRAWS} draws that leave one without"
        raise RunError(complaint(self._call, expected, got, "Build the supernet without `none`."))

    def _drawn_edge(self, edge: int, generator: torch.Generator) -> Pick:
        allowed = self.net.region.choices[edge]
        if len(allowed) == 1:
            return allowed[0]
        progress = min(1.0, self.current_epoch / max(1, self._epochs - 1))
        return self._relaxation.pick(self.logits[self._decisions.index(edge)], allowed, progress, generator)

    def _edge_weights(self) -> dict[int, Tensor]:
        """Return the weight of each decision's edge; empty where edges are summed."""
        shares = [torch.softmax(vector, dim=0) for vector in self.edge_logits]
        return {
            edge: share
            for node, of_node in zip(self._space.nodes, shares, strict=False)
            for edge, share in zip(node, of_node, strict=True)
        }

    @property
    def _epochs(self) -> int:
        epochs = self.trainer.max_epochs
        assert epochs is not None
        return epochs

    def _note(self, name: str, loss: Tensor) -> None:
        self._sums[name] = self._sums[name].to(loss.device) + loss.detach().float()
        self._steps[name] += 1

    def _refuse(self, expected: str, got: object, next_step: str) -> NoReturn:
        raise UsageError(complaint(self._call, expected, got, next_step))

    def _require_options(
        self,
        net: RegionNet,
        radius: float,
        warmup_epochs: int,
        clip: float | None,
        names: Mapping[str, tuple[str, Any]],
    ) -> None:
        if net.region.is_single:
            self._refuse("a region with something to decide", str(net.region), "Build the supernet of a space.")
        if not radius > 0:
            self._refuse("radius > 0", radius, "DARTS has 0.01.")
        if type(warmup_epochs) is not int or warmup_epochs < 0:
            self._refuse("warmup_epochs >= 0", warmup_epochs, "PC-DARTS has 15 of 50.")
        if clip is not None and not clip > 0:
            self._refuse("clip > 0, or None", clip, "DARTS has 5.")
        for kind, (name, known) in names.items():
            if name not in get_args(known):
                raise UsageError(f"{self._call}: {unknown_name(kind, name, get_args(known))}")


def _initial_logits(sizes: Sequence[int], generator: torch.Generator) -> nn.ParameterList:
    vectors = [_INITIAL_DEVIATION * torch.randn(size, generator=generator) for size in sizes]
    return nn.ParameterList([nn.Parameter(vector) for vector in vectors])
