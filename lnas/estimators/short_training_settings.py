"""What short training is called with: the variants of its source, and the limits of its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from lnas.errors import UsageError, complaint
from lnas.nets.names import Initialization

ShortTrainingProtocolName = Literal["as_published", "as_released"]
LossAt = Literal["after", "last_step"]
Schedule = Literal["constant", "cosine"]
TrivialCells = Literal["kept", "scored worst"]


class Variant(NamedTuple):
    """What the text and the released code of ST-NAS have differently."""

    init: Initialization
    loss_at: LossAt
    trivial_cells: TrivialCells


VARIANTS: dict[ShortTrainingProtocolName, Variant] = {
    "as_published": Variant("kaiming_uniform", "after", "kept"),
    "as_released": Variant("kaiming_normal", "last_step", "scored worst"),
}


@dataclass(frozen=True)
class Limit:
    """What an argument must satisfy."""

    name: str
    value: float | None
    sound: bool
    expected: str


def check_limits(limits: list[Limit]) -> None:
    """Raise `UsageError` for the first argument that is out of its limits."""
    for limit in limits:
        if not limit.sound:
            call = f"ShortTrainingEstimator({limit.name}={limit.value})"
            raise UsageError(complaint(call, limit.expected, limit.value, "Change it."))
