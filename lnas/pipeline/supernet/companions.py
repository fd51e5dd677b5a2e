"""What comes along with a supernet's training: the callbacks that were asked for."""

from __future__ import annotations

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
from lnas.types import Region, describe

_DESCRIBED = ("ranking", "ensemble", "forgetting", "gradients", "pruning")


class Companions(NamedTuple):
    """The callbacks, None where none was asked for, in the order in which they do their work at an epoch's end."""

    ensemble: TemporalEnsembleCallback | None
    ranking: RankingCallback | None
    forgetting: ForgettingCallback | None
    gradients: GradientSimilarityCallback | None
    pruning: PathPruningCallback | None
    controller: ControllerCallback | None

    @property
    def callbacks(self) -> list[pl.Callback]:
        """Those there are."""
        return [each for each in self if each is not None]


@dataclass(frozen=True)
class Company:
    """Which callbacks are asked for, and how."""

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

    @property
    def settings(self) -> dict[str, Any]:
        """What decides their numbers, the controller's strategy apart; the path of the truth does not."""
        named = {name: describe(getattr(self, name)) for name in _DESCRIBED}
        return {"truth": self.truth.key if self.truth else None, **named}
