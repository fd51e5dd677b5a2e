"""What is watched while a supernet is trained, as options."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnas.data import ImageData
from lnas.errors import UsageError, complaint
from lnas.pipeline.scoring.choosing import choose_archs
from lnas.pipeline.supernet.validation import validation_batches
from lnas.pipeline.truth import Truth
from lnas.seeds import derive_seed
from lnas.spaces import SearchSpace
from lnas.training.callbacks import (
    ForgettingCallback,
    GradientSimilarityCallback,
    RankingCallback,
    TemporalEnsembleCallback,
)
from lnas.training.path_evaluation import Statistics
from lnas.types import Arch, Region

_FEWEST = 2
_EVERY = "all"


@dataclass(frozen=True)
class Ensemble:
    """A temporal ensemble: the mean of the last weights, saved as ensemble.ckpt in the end.

    Args:
        last: How many.
        every_n_epochs: Epochs between two of them.
    """

    last: int = 5
    every_n_epochs: int = 1

    def callback(self) -> TemporalEnsembleCallback:
        """Make what keeps it."""
        return TemporalEnsembleCallback(self.last, self.every_n_epochs)


@dataclass(frozen=True)
class Ranking:
    """How well the supernet ranks architectures on the way.

    Args:
        archs: How many to draw of those that the benchmark has, or of the space where it has no list; all of them; or a
            file as of lnas score. What is without a known accuracy, or outside what is trained, is left out.
        every_n_epochs: How often.
        batches: Validation batches that each is evaluated on; None is all.
        batch_size: Images of each.
        statistics: What batch norms go by: batch or running.
    """

    archs: int | str = 300
    every_n_epochs: int = 10
    batches: int | None = 5
    batch_size: int = 128
    statistics: Statistics = "batch"

    def callback(
        self,
        space: SearchSpace,
        region: Region,
        data: ImageData,
        truth: Truth,
        seed: int,
        ensemble: TemporalEnsembleCallback | None,
    ) -> RankingCallback:
        """Make what watches it.

        Raises:
            UsageError: If fewer than two architectures are left.
        """
        chosen = self._chosen(space, region, truth, seed)
        accuracies = dict(zip(chosen, truth.accuracies(chosen, space), strict=True))
        known = {arch: accuracy for arch, accuracy in accuracies.items() if accuracy is not None and arch in region}
        if len(known) < _FEWEST:
            expected = f"at least {_FEWEST} architectures that are trained and whose accuracy is known"
            got = f"{len(known)} of {len(chosen)}"
            raise UsageError(complaint(f"ranking.archs={self.archs!r}", expected, got, "Name more."))
        return RankingCallback(
            list(known),
            list(known.values()),
            validation_batches(data, self.batch_size, self.batches),
            self.every_n_epochs,
            statistics=self.statistics,
            ensemble=ensemble,
        )

    def _chosen(self, space: SearchSpace, region: Region, truth: Truth, seed: int) -> list[Arch]:
        is_file = isinstance(self.archs, str) and self.archs != _EVERY
        listed = None if is_file else truth.listed(space)
        if listed is None:
            return choose_archs(self.archs, space, derive_seed(seed, "ranking"))
        served = [arch for arch in listed if arch in region]
        if self.archs == _EVERY:
            return served
        count = int(self.archs)
        if not 1 <= count <= len(served):
            expected = f"1 <= archs <= {len(served):,}, those of {truth.benchmark} that are trained"
            raise UsageError(complaint(f"ranking.archs={count}", expected, count, "Name fewer, or all."))
        drawn = np.random.default_rng(derive_seed(seed, "ranking")).permutation(len(served))[:count]
        return [served[k] for k in drawn]


@dataclass(frozen=True)
class Forgetting:
    """How much paths lose, in one epoch, to those that are trained after them.

    Args:
        archs: How many paths of an epoch are followed.
        every_n_epochs: How often.
        batches: Validation batches that each is evaluated on, twice.
        batch_size: Images of each.
    """

    archs: int = 20
    every_n_epochs: int = 1
    batches: int = 2
    batch_size: int = 128

    def callback(self, data: ImageData, seed: int) -> ForgettingCallback:
        """Make what measures it."""
        batches = validation_batches(data, self.batch_size, self.batches)
        return ForgettingCallback(batches, self.archs, self.every_n_epochs, derive_seed(seed, "forgetting"))


@dataclass(frozen=True)
class Gradients:
    """How alike the gradients of architectures are, stage by stage.

    Args:
        archs: Of how many architectures all pairs are compared.
        every_n_epochs: How often.
        batches: Validation batches that gradients are taken on.
        batch_size: Images of each.
    """

    archs: int = 8
    every_n_epochs: int = 10
    batches: int = 1
    batch_size: int = 128

    def callback(self, data: ImageData, seed: int) -> GradientSimilarityCallback:
        """Make what measures it."""
        batches = validation_batches(data, self.batch_size, self.batches)
        return GradientSimilarityCallback(batches, self.archs, self.every_n_epochs, derive_seed(seed, "gradients"))
