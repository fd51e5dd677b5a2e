"""One training for a benchmark: everything that a table keeps of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lnas.data import ImageData, SplitName
from lnas.errors import LnasError
from lnas.pipeline.retraining.task import RetrainingProtocol
from lnas.seeds import derive_seed
from lnas.training import Retraining
from lnas.types import Arch, Estimate

SPLITS: tuple[SplitName, ...] = ("train", "val", "test")
COUNTS = ("params", "macs")


class TrainingTask(NamedTuple):
    """An architecture and the seed of its training."""

    arch: Arch
    seed: int


@dataclass(frozen=True)
class BenchmarkProtocol(RetrainingProtocol):
    """Everything that decides a benchmark's accuracies, the seed apart.

    What a retraining's protocol has, under another name: the same seed draws other weights and batches here.
    """


@dataclass(frozen=True)
class BenchmarkTraining:
    """Train an architecture from new weights and measure it on every split; picklable where its parts are.

    Args:
        net: Builds the network of an architecture.
        data: The task.
        recipe: How it is trained.
    """

    net: Callable[[Arch, int], Any]
    data: ImageData
    recipe: Retraining

    def __call__(self, task: TrainingTask) -> dict[str, Estimate]:
        """Return `train_acc`, `val_acc`, `test_acc` (fractions, of the last epoch's weights), `params` and `macs`.

        Accuracies are measured in eval mode on images that are not augmented. The seconds of an accuracy are those of
        the training and of one evaluation of its split; validations between the epochs do not count. The details of
        `val_acc` hold the curves over the epochs: `val_acc`, `val_loss` and `train_loss`, the mean over the steps.
        A training whose loss is not finite in the end has no accuracies but the status "nonfinite"; one that raises has
        the status "failed".
        """
        from lnas.nets import isolated_randomness
        from lnas.training import honest_signals, quiet_lightning

        with isolated_randomness(derive_seed(task.seed, task.arch, "benchmark")), quiet_lightning(), honest_signals():
            try:
                return self._train(task)
            except LnasError:
                raise
            except Exception as error:  # whatever one network does, the others are trained
                return failed_training(error)

    def _train(self, task: TrainingTask) -> dict[str, Estimate]:
        from lnas.nets.complexity import count_macs
        from lnas.training import fit, measure
        from lnas.training.callbacks import TrainingClock
        from lnas.training.fitting import batches_of

        net = self.net(task.arch, self.data.num_classes)
        image_size = self.data.splits["train"].images.shape[-1]
        counts = {
            "params": sum(weight.numel() for weight in net.parameters()),
            "macs": count_macs(net, image_size),
        }
        seed = derive_seed(task.seed, task.arch, "batches")
        curves: dict[str, list[float | None]] = {"val_acc": [], "val_loss": [], "train_loss": []}

        def keep(epoch: int, numbers: Mapping[str, float]) -> None:
            for name, values in curves.items():
                values.append(numbers[name] if math.isfinite(numbers[name]) else None)

        clock = TrainingClock()
        fitted = fit(
            net,
            self.data.num_classes,
            batches_of(self.recipe, self.data, seed),
            self.recipe,
            derive_seed(task.seed, task.arch, "epochs"),
            keep,
            callbacks=[clock],
        )
        estimates = {name: Estimate(float(count)) for name, count in counts.items()}
        for split in SPLITS:
            measured = measure(fitted, batches_of(self.recipe, self.data, seed, split))
            value = measured.accuracy if math.isfinite(measured.loss) else math.nan
            detail = {"curves": curves} if split == "val" else {}
            estimates[f"{split}_acc"] = Estimate.of(value, clock.seconds + measured.seconds, detail)
        return estimates


def failed_training(error: BaseException) -> dict[str, Estimate]:
    """Return the estimates of a training that raised, or whose process died."""
    return dict.fromkeys([*(f"{split}_acc" for split in SPLITS), *COUNTS], Estimate.failure(error))
