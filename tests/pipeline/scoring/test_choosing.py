from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.pipeline.scoring.choosing import choose_archs
from lnas.spaces import DartsSpace, NatsTopologySpace, SearchSpace
from lnas.testing.tiny import TinySpace

TINY, NATS, DARTS = TinySpace(), NatsTopologySpace(), DartsSpace()


def test_all_is_the_whole_space_in_order() -> None:
    whole = choose_archs("all", NATS, seed=0)
    assert len(set(whole)) == 15625
    assert whole == sorted(whole)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([TINY, DARTS]), st.integers(0, 100), st.integers(1, 8), st.integers(1, 8))
def test_a_sample_has_each_once_and_begins_a_larger_one(space: SearchSpace, seed: int, one: int, other: int) -> None:
    small, large = (choose_archs(count, space, seed) for count in sorted((one, other)))
    assert len(set(large)) == len(large) == max(one, other)
    assert large[: len(small)] == small
    for arch in large:
        space.validate(arch)


def test_every_architecture_is_as_likely() -> None:
    counts = Counter(arch for seed in range(800) for arch in choose_archs(3, TINY, seed))
    assert len(counts) == 8
    assert scipy.stats.chisquare(list(counts.values())).pvalue > 0.001


def test_another_seed_is_another_sample() -> None:
    assert choose_archs(8, DARTS, 0) != choose_archs(8, DARTS, 1)


def test_a_text_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "cells.txt").write_text("101\n")
    assert choose_archs(str(tmp_path / "cells.txt"), TINY, 0) == [TINY.parse("101")]


@pytest.mark.parametrize(
    ("archs", "space", "message"),
    [
        (0, TINY, "1 <= archs <= 8, the size of 'tiny', got 0"),
        (9, TINY, "1 <= archs <= 8"),
        ("all", DARTS, r"at most 1,000,000 architectures, got .*of 'darts'"),
        ("every", TINY, "No such file"),
    ],
)
def test_what_cannot_be_is_said(archs: int | str, space: SearchSpace, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        choose_archs(archs, space, 0)
