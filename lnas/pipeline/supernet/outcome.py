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
        return {name: records for name, records in self.companions.courses.items() if records}


def found_arch(module: pl.LightningModule, companions: Companions) -> Arch | None:
    """Return the architecture that a training came to, if it is a search: by its controller, or its own logits."""
    if companions.controller is not None:
        return companions.controller.derive()
    derive = getattr(module, "derive", None)
    return derive() if derive is not None else None


def track_epoch(tracker: Tracker, companions: Companions, epoch: EpochRecord) -> None:
    """Log an epoch's record, and what the companions recorded at its end."""
    for group, records in {"epochs": [epoch], **companions.courses}.items():
        for record in records:
            if record["epoch"] == epoch["epoch"]:
                numbers = {f"{group}/{name}": value for name, value in record.items()}
                tracker.numbers(numbers, step=int(record["epoch"]))
