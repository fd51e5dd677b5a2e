"""Everything that one of the two results holds and that can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lnas.pipeline.comparing.answers import Answers, Group, Truths, read_answers, recorded_truths
from lnas.pipeline.comparing.measured import Measured, measured_of
from lnas.pipeline.comparing.picks import Picked, read_picks
from lnas.pipeline.comparing.source import Source, open_source
from lnas.types import Arch


class Result(NamedTuple):
    """One of the two.

    Attributes:
        source: Where it lies, and how it was made.
        measured: Its numbers.
        answers: Its searches by strategy and judge, and by seed.
        truths: What its searches' own benchmarks say of their answers.
        picks: What it came to.
    """

    source: Source
    measured: Measured
    answers: Mapping[Group, Mapping[int, Answers]]
    truths: Truths
    picks: Mapping[str, Picked]

    @property
    def come_to(self) -> list[Arch]:
        """What its searches answered, and what it picked."""
        answered = [arch for some in self.answers.values() for each in some.values() for arch in each.archs]
        return list(dict.fromkeys([*answered, *(picked.arch for picked in self.picks.values())]))


def read_result(call: str, given: str) -> Result:
    """Read what there is.

    Args:
        call: Whom errors blame.
        given: As `open_source` takes it.

    Raises:
        UsageError: If there is nothing of lnas, or a file is damaged.
        StoreError: If the store cannot be read.
    """
    source = open_source(call, given)
    return Result(source, measured_of(call, source), read_answers(source), recorded_truths(source), read_picks(source))
