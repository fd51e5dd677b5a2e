from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.pipeline.scores_study.evidence import Evidence, gather, space_of
from lnas.pipeline.scores_study.score_files import Estimates
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.testing.tiny import TinySpace
from lnas.types import Arch

SPACE = NatsTopologySpace()
ARCHS = [Arch("nats_topology", (0, 0, 0, 0, 0, gene)) for gene in range(5)]


@dataclass(frozen=True)
class MadeUp:
    """A truth that is a dict."""

    known: Mapping[Arch, float]
    key: str = "key"

    def accuracies(self, archs: Sequence[Arch], space: SearchSpace) -> list[float | None]:
        return [self.known.get(arch) for arch in archs]


def of(name: str, places: Sequence[int], values: Sequence[float], higher_is_better: bool = True) -> Estimates:
    return Estimates(name, [ARCHS[k] for k in places], np.array(values, dtype=float), higher_is_better)


def test_what_all_files_hold_and_the_benchmark_knows_is_compared() -> None:
    truth = MadeUp({ARCHS[1]: 80.0, ARCHS[3]: 70.0, ARCHS[4]: 60.0})
    found = gather([of("a", [0, 1, 2, 3], [1, 2, 3, 4]), of("b", [3, 1, 0, 4], [9, 8, 7, 6], False)], [truth], SPACE)  # type: ignore[list-item]
    assert list(found.archs) == [ARCHS[1], ARCHS[3]]
    assert found.values["a"].tolist() == [2, 4]
    assert found.values["b"].tolist() == [8, 9]
    assert found.merits["b"].tolist() == [-8, -9]
    assert found.truth.tolist() == [80, 70]
    assert (found.not_in_all, found.not_known) == (2, 1)


def test_an_accuracy_must_be_known_under_every_key() -> None:
    one = MadeUp(dict(zip(ARCHS, [1.0, 2.0, 3.0, 4.0, 5.0], strict=True)))
    other = MadeUp({ARCHS[0]: 5.0, ARCHS[2]: 4.0}, "other")
    found = gather([of("a", range(5), range(5))], [one, other], SPACE)  # type: ignore[list-item]
    assert list(found.archs) == [ARCHS[0], ARCHS[2]]
    assert {key: values.tolist() for key, values in found.truths.items()} == {"key": [1, 3], "other": [5, 4]}
    assert found.key == "key"


def test_too_little_in_common_is_told() -> None:
    truth = MadeUp({ARCHS[0]: 80.0, ARCHS[1]: 70.0})
    with pytest.raises(UsageError, match=re.escape("got '1 of 3; 1 are in all files'")):
        gather([of("a", [0, 1], [1, 2]), of("b", [1, 2], [1, 2])], [truth], SPACE)  # type: ignore[list-item]
    flat = MadeUp({ARCHS[0]: 80.0, ARCHS[1]: 80.0})
    with pytest.raises(UsageError, match="truth 'key': expected accuracies that differ"):
        gather([of("a", [0, 1], [1, 2])], [flat], SPACE)  # type: ignore[list-item]


def test_the_space_is_that_of_the_files() -> None:
    own = TinySpace()
    tiny = Estimates("a", [next(own.archs())], np.array([1.0]), True)
    nats = of("b", [0], [1])
    assert space_of([nats], None).name == "nats_topology"
    assert space_of([tiny], own) is own
    for estimates, given, message in (
        ([nats, tiny], None, "architectures of one space"),
        ([tiny], None, "a space that lnas knows, or --space"),
        ([nats], own, f"architectures of '{own.name}'"),
    ):
        with pytest.raises(UsageError, match=re.escape(message)):
            space_of(estimates, given)


def test_what_ranks_nothing_is_told_apart(evidence: Callable[..., Evidence]) -> None:
    nan = float("nan")
    found = evidence([1, 2, 3], {"good": [1, 2, nan], "flat": [4, 4, nan], "lone": [nan, 1, nan]})
    assert found.undefined == {"flat": "the same for all 2 that have a number", "lone": "1 of 3 have a number"}
    assert list(found.ranking) == ["good"]
