"""What is trained in full on what, and how: everything but the architecture and the seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from lnas.data import DataProtocol, ImageData
from lnas.errors import UsageError, complaint
from lnas.nets.trained_file import TrainedNet
from lnas.training import Retraining
from lnas.types import Arch, describe

NetFactory = Callable[[Arch, int], Any]


@dataclass(frozen=True)
class RetrainingProtocol:
    """Everything that decides a retraining's numbers, the seed apart."""

    net: Any
    data: DataProtocol
    splits: tuple[str, ...]
    recipe: Retraining

    @classmethod
    def of(cls, recipe: Retraining, net: NetFactory, data: ImageData) -> Self:
        """Collect what decides the numbers; reads the data for its fingerprint."""
        prints = tuple(data.splits[name].fingerprint() for name in ("train", "val", "test"))
        decisive = replace(recipe, repeats=1, accelerator="auto")  # neither decides a number
        return cls(describe(net), data.protocol, prints, decisive)


@dataclass(frozen=True)
class FineTuningProtocol:
    """Everything that decides the numbers of a training that begins with another one's weights, the seed apart."""

    training: RetrainingProtocol
    weights: str


@dataclass(frozen=True)
class Task:
    """A recipe, the networks it trains, and the images.

    Attributes:
        net: Builds the network of an architecture.
        data: The images.
        recipe: How it is trained.
        workers: Processes that load images, where they lie in files; 0 is this one. Decides no number.
        start: The trained network whose weights it begins with; None begins with new ones.
    """

    net: NetFactory
    data: ImageData
    recipe: Retraining
    workers: int = 0
    start: TrainedNet | None = None

    @cached_property
    def protocol(self) -> RetrainingProtocol | FineTuningProtocol:
        """What numbers are kept under."""
        anew = RetrainingProtocol.of(self.recipe, self.net, self.data)
        return anew if self.start is None else FineTuningProtocol(anew, str(self.start.weights))

    @property
    def trained_images(self) -> int:
        """How many images an epoch goes through."""
        splits = self.data.splits
        held_out = 0 if self.recipe.trained_on == "train" else len(splits["val"])
        return len(splits["train"]) + held_out

    def check(self) -> None:
        """Raise `UsageError` where numbers would not be what they are called."""
        if self.recipe.trained_on == "train+val" and self.data.holds_out_test_images:
            step = "All training images are trained on already: leave it out."
            call = "recipe.trained_on='train+val'"
            raise UsageError(complaint(call, "held-out images that are no test images", self.data.name, step))
        if self.start is None or self.start.task.name != self.data.name:
            return
        tested = self.start.task.splits.get("test")
        if tested is not None and tested.fingerprint != self.data.splits["test"].fingerprint():
            call, step = f"weights trained on {self.data.name}", "Part the data as their training did."
            raise UsageError(complaint(call, "the test images of their training", "others", step))
        if self.start.recipe.get("trained_on") == "train+val" and self.recipe.trained_on == "train":
            call, step = f"weights trained on {self.data.name}", "Add --recipe.trained_on train+val."
            raise UsageError(complaint(call, "held-out images that they were not trained on", "train+val", step))

    def network(self, arch: Arch) -> Any:
        """Build the network of an architecture, by the global generator, as its training begins."""
        network = self.net(arch, self.data.num_classes)
        if self.start is None:
            return network
        from lnas.training.warm_start import warm_started

        return warm_started(network, self.start)
