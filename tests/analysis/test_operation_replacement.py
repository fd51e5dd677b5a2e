from __future__ import annotations

import itertools

import numpy as np
import pytest

from lnas.analysis.operation_changes import Change, OperationChanges, operation_changes
from lnas.analysis.operation_replacement import changes_of, from_source, mean_changes
from lnas.errors import UsageError
from lnas.spaces import NatsTopologySpace
from lnas.testing.tiny import TinySpace
from lnas.types import Arch

NATS = NatsTopologySpace()
NONE, SKIP, CONV1 = 0, 1, 2


def cells(*genes: str) -> list[Arch]:
    return [Arch(NATS.name, tuple(map(int, own))) for own in genes]


def test_what_replaces_none_by_hand() -> None:
    archs = cells("033333", "133333", "233333", "330333", "331333")
    found = from_source(mean_changes(operation_changes(archs, NATS), [10, 15, 30, 20, 21]), "none")
    assert found.changes == [Change("edge", "none", "skip_connect"), Change("edge", "none", "nor_conv_1x1")]
    assert found.pairs.tolist() == found.families.tolist() == [2, 1]
    assert found.mean.tolist() == [3, 20]
    assert (found.low[0], found.high[0]) == (1, 5)  # of two families, a quarter of the draws takes one twice
    assert np.isnan([found.low[1], found.high[1]]).all()


def test_it_is_what_averaging_pair_by_pair_gives() -> None:
    rng = np.random.default_rng(0)
    archs = [Arch(NATS.name, tuple(genes)) for genes in np.unique(rng.integers(0, 5, (300, 6)), axis=0).tolist()]
    values = rng.normal(size=len(archs))
    values[::7] = np.nan
    found = mean_changes(operation_changes(archs, NATS), values)
    changes: dict[tuple[int, int], list[float]] = {}
    for (i, one), (j, two) in itertools.permutations(enumerate(archs), 2):
        differ = [(a, b) for a, b in zip(one.genes, two.genes, strict=True) if a != b]
        if len(differ) == 1:
            changes.setdefault(differ[0], []).append(values[j] - values[i])
    assert len(found.changes) == len(changes)
    for row, change in enumerate(found.changes):
        names = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
        own = np.array(changes[names.index(change.source), names.index(change.target)])
        assert found.pairs[row] == np.isfinite(own).sum()
        assert found.missing[row] == np.isnan(own).sum()
        assert found.mean[row] == pytest.approx(np.nanmean(own))


def test_the_reverse_is_the_negative() -> None:
    archs = list(NATS.archs())[:200]
    found = mean_changes(operation_changes(archs, NATS), np.random.default_rng(0).normal(size=len(archs)))
    half = len(found.changes) // 2
    assert [(c.source, c.target) for c in found.changes[:half]] == [(c.target, c.source) for c in found.changes[half:]]
    np.testing.assert_array_equal(found.mean[:half], -found.mean[half:])
    np.testing.assert_array_equal(found.low[:half], -found.high[half:])
    assert ((found.low <= found.mean) & (found.mean <= found.high)).all()


def test_pairs_that_share_an_architecture_are_one_family() -> None:
    # Two cells with two `none`, and all ways to put skips in their place: squares of four pairs each.
    squares = [f"{one}{two}{rest}" for rest in ("3333", "4444") for one in "01" for two in "01"]
    found = mean_changes(operation_changes(cells(*squares), NATS), np.arange(8.0))
    assert found.pairs.tolist() == [8, 8]
    assert found.families.tolist() == [2, 2]


def test_a_missing_number_parts_a_family() -> None:
    changes = OperationChanges(5, [Change("edge", "a", "b")], np.arange(4), np.arange(1, 5), np.zeros(4, dtype=int))
    whole = mean_changes(changes, [1, 2, 3, 4, 5])
    assert (whole.families.tolist(), whole.pairs.tolist(), whole.missing.tolist()) == ([1, 1], [4, 4], [0, 0])
    parted = mean_changes(changes, [1, 2, np.inf, 4, 5])
    assert (parted.families.tolist(), parted.pairs.tolist(), parted.missing.tolist()) == ([2, 2], [2, 2], [2, 2])
    assert (parted.low[0], parted.mean[0], parted.high[0]) == (1, 1, 1)


def test_a_large_family_counts_by_its_pairs() -> None:
    # One pair that rises by 10, and three around one centre that rise by 1 each.
    first, second = np.array([0, 2, 2, 2]), np.array([1, 3, 4, 5])
    changes = OperationChanges(6, [Change("edge", "a", "b")], first, second, np.zeros(4, dtype=int))
    found = mean_changes(changes, [0, 10, 0, 1, 1, 1])
    assert (found.families[0], found.mean[0]) == (2, 13 / 4)
    assert (found.low[0], found.high[0]) == (1, 10)


def test_the_interval_covers_as_often_as_it_says_where_pairs_are_dependent() -> None:
    # Stars: every centre is in four pairs, and its own noise is in all of them.
    rng = np.random.default_rng(0)
    stars, leaves = 40, 4
    centres = np.repeat(np.arange(stars), leaves)
    others = stars + np.arange(stars * leaves)
    changes = OperationChanges(5 * stars, [Change("edge", "a", "b")], centres, others, np.zeros(160, dtype=int))
    truth, covered = 0.5, 0
    for _ in range(100):
        values = rng.normal(size=5 * stars)
        values[others] += truth
        found = mean_changes(changes, values)
        covered += int(found.low[0] <= truth <= found.high[0])
    assert 87 <= covered <= 99


def test_a_change_without_a_finite_pair_has_no_mean() -> None:
    archs = cells("033333", "133333", "233333")
    found = mean_changes(operation_changes(archs, NATS), [1, 2, np.nan])
    row = found.changes.index(Change("edge", "none", "nor_conv_1x1"))
    assert (found.pairs[row], found.missing[row], found.families[row]) == (0, 1, 0)
    assert np.isnan([found.mean[row], found.low[row], found.high[row]]).all()


def test_what_cannot_be_averaged_is_refused() -> None:
    space = TinySpace()
    archs = list(space.archs())
    changes = operation_changes(archs, space)
    with pytest.raises(UsageError, match=rf"a vector of {len(archs)} values, got \(3,\)"):
        mean_changes(changes, [1, 2, 3])
    with pytest.raises(UsageError, match=f"none of {len(changes.first)} pairs"):
        mean_changes(changes, [np.nan] * len(archs))
    with pytest.raises(UsageError, match=r"unknown operation 'non'\. Known: 0, 1"):
        from_source(mean_changes(changes, np.arange(len(archs))), "non")


@pytest.mark.parametrize("operation", ["none", "nor_conv_3x3"])
def test_nothing_is_lost_of_an_operation_when_the_others_are_left_out(operation: str) -> None:
    rng = np.random.default_rng(1)
    archs = [Arch(NATS.name, tuple(genes)) for genes in np.unique(rng.integers(0, 5, (300, 6)), axis=0).tolist()]
    values = rng.normal(size=len(archs))
    every = operation_changes(archs, NATS)
    of_it = changes_of(every, operation)
    assert len(of_it.changes) == 4
    assert len(every.changes) == 10
    whole, part = (from_source(mean_changes(own, values), operation) for own in (every, of_it))
    assert whole.changes == part.changes
    for one, other in zip(whole[1:], part[1:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_an_operation_that_is_nowhere_is_refused() -> None:
    changes = operation_changes(cells("033333", "133333"), NATS)
    with pytest.raises(UsageError, match="unknown operation 'conv'"):
        changes_of(changes, "conv")
