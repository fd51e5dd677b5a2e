"""What a supernet's training came to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl

from lnas.pipeline.supernet.companions import Companions
from lnas.pipeline.tracking import Tracker
from lnas.pipeline.truth import Truth
from lnas.spaces import SearchSpace
from lnas.training.callbacks.keeping import EpochRecord
from lnas.types import Arch

Course = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Outcome:
    """Everything that the page, the files and W&B tell.

    Attributes:
        space: Whose supernet.
        settings: What decided the numbers.
        epochs: Records of each epoch.
        companions: Callbacks with their records.
        truth: What rankings are compared with.
        found: The architecture that the training came to, where it is a search.
    """

    space: SearchSpace
    settings: Mapping[str, Any]
    epochs: Sequence[EpochRecord]
    companions: Companions
    truth: Truth | None
    found: Arch | None

    @property
    def courses(self) -> dict[str, Course]:
        """What was recorded along the way, by name; `epochs` apart, all that was asked for."""
        watched = {
            "ranking": self.companions.ranking,
            "forgetting": self.companions.forgetting,
            "gradients": self.companions.gradients,
        }
        return {name: each.records for name, each in watched.items() if each is not None and each.records}


def found_arch(module: pl.LightningModule, companions: Companions) -> Arch | None:
    """Return the architecture that a training came to, if it is a search: by its controller, or its own logits."""
    if companions.controller is not None:
        return companions.controller.derive()
    derive = getattr(module, "derive", None)
    return derive() if derive is not None else None


def track_course(tracker: Tracker, group: str, records: Course) -> None:
    """Log what was recorded along the way against the epoch."""
    tracker.group(group)
    for record in records:
        tracker.numbers({f"{group}/{name}": value for name, value in record.items()}, step=int(record["epoch"]))
