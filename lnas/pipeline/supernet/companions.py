"""What comes along with a supernet's training: the callbacks that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import lightning.pytorch as pl

from lnas.data import ImageData
from lnas.errors import UsageError, complaint
from lnas.pipeline.supernet.steering import Controller, Pruning
from lnas.pipeline.supernet.watching import Ensemble, Forgetting, Gradients, Ranking
from lnas.pipeline.truth import Truth
from lnas.spaces import SearchSpace
from lnas.training.callbacks import (
    ControllerCallback,
    ForgettingCallback,
    GradientSimilarityCallback,
    PathPruningCallback,
    RankingCallback,
    TemporalEnsembleCallback,
)
from lnas.training.supernet_module import SupernetModule
from lnas.training.weight_sharing import WeightSharingModule
from lnas.types import Region, describe

_DESCRIBED = ("ranking", "ensemble", "forgetting", "gradients", "pruning")
_OF_PATHS = ("forgetting", "gradients", "pruning", "controller")


class Companions(NamedTuple):
    """The callbacks, None where none was asked for, in the order in which they do their work at an epoch's end."""

    ensemble: TemporalEnsembleCallback | None
    ranking: RankingCallback | None
    forgetting: ForgettingCallback | None
    gradients: GradientSimilarityCallback | None
    pruning: PathPruningCallback | None
    controller: ControllerCallback | None

    @property
    def courses(self) -> dict[str, Sequence[Mapping[str, float]]]:
        """What those that watch have recorded so far, by name."""
        watching = {"ranking": self.ranking, "forgetting": self.forgetting, "gradients": self.gradients}
        return {name: each.records for name, each in watching.items() if each is not None}

    @property
    def callbacks(self) -> list[pl.Callback]:
        """Those there are."""
        return [each for each in self if each is not None]


@dataclass(frozen=True)
class Company:
    """Which callbacks are asked for, and how.

    Raises:
        UsageError: If they contradict each other.
    """

    truth: Truth | None
    ranking: Ranking | None
    ensemble: Ensemble | None
    forgetting: Forgetting | None
    gradients: Gradients | None
    pruning: Pruning | None
    controller: Controller | None

    def __post_init__(self) -> None:
        if self.ranking and not self.truth:
            expected, step = "--truth..., too", "A ranking is compared with a truth."
            raise UsageError(complaint("lnas supernet --ranking...", expected, None, step))
        if self.controller and (self.forgetting or self.pruning):
            got = "forgetting" if self.forgetting else "pruning"
            step = "A controller decides at every step what is trained."
            raise UsageError(complaint("lnas supernet --controller...", "neither forgetting nor pruning", got, step))

    def check(self, space: SearchSpace, module: WeightSharingModule, epochs: int) -> None:
        """Raise `UsageError` for a truth of another space, and for what the module cannot serve or would never come."""
        if self.truth:
            self.truth.require(space)
        for name in _OF_PATHS:
            if getattr(self, name) and not isinstance(module, SupernetModule):
                call, step = f"lnas supernet --{name}...", "It follows, or decides, which paths are trained."
                raise UsageError(complaint(call, "--training SupernetModule", type(module).__name__, step))
        for option, first in self._first_epochs():
            if first > epochs:
                expected = f"at most {epochs}, the last epoch"
                raise UsageError(
                    complaint(f"{option}={first}", expected, first, "Train longer, or ask for it earlier.")
                )

    def _first_epochs(self) -> Iterator[tuple[str, int]]:
        """Yield for what is asked for the epoch at whose end it is due first."""
        for name in ("ranking", "ensemble", "forgetting", "gradients"):
            asked = getattr(self, name)
            if asked:
                yield f"{name}.every_n_epochs", asked.every_n_epochs
        if self.pruning:
            yield "pruning.at_epoch", self.pruning.at_epoch
        if self.controller:
            yield "controller.warmup_epochs", self.controller.warmup_epochs + 1

    def gathered(self, space: SearchSpace, region: Region, data: ImageData, seed: int) -> Companions:
        """Make the callbacks."""
        ensemble = self.ensemble.callback() if self.ensemble else None
        ranking = None
        if self.ranking and self.truth:
            ranking = self.ranking.callback(space, region, data, self.truth, seed, ensemble)
        return Companions(
            ensemble,
            ranking,
            self.forgetting.callback(data, seed) if self.forgetting else None,
            self.gradients.callback(data, seed) if self.gradients else None,
            self.pruning.callback(space, data, seed) if self.pruning else None,
            self.controller.callback(space, data, seed) if self.controller else None,
        )

    def settings(self, companions: Companions) -> dict[str, Any]:
        """Return what decides their numbers; the path of the truth does not."""
        controller = None
        if self.controller and companions.controller:
            others = {name: value for name, value in vars(self.controller).items() if name != "strategy"}
            controller = {**others, "strategy": companions.controller.strategy.settings}
        named = {name: describe(getattr(self, name)) for name in _DESCRIBED}
        return {"truth": self.truth.key if self.truth else None, **named, "controller": controller}
