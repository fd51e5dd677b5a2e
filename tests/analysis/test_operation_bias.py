from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest

from lnas.analysis.complexity_groups import complexity_groups
from lnas.analysis.operation_bias import ANY, OperationBias, by_target, operation_bias
from lnas.analysis.operation_changes import Change, operation_changes
from lnas.errors import UsageError
from lnas.spaces import NatsTopologySpace
from lnas.testing.tiny import TinySpace
from lnas.types import Arch

SPACE = TinySpace()
ARCHS = list(SPACE.archs())
CHANGES = operation_changes(ARCHS, SPACE)
UP, DOWN = Change("digit", "0", "1"), Change("digit", "1", "0")


def row(found: OperationBias, change: Change) -> tuple[float, ...]:
    place = found.changes.index(change)
    return tuple(float(column[place]) for column in found[1:])


def counted(estimates: np.ndarray, truth: np.ndarray, within: np.ndarray, source: int, target: int) -> list[float]:
    """Pair by pair over the tiny space: pairs, missing, rises of truth and estimate, ties of truth and estimate."""
    pairs = missing = 0
    counts = np.zeros(4)
    for i, j in itertools.permutations(range(len(ARCHS)), 2):
        differ = [(a, b) for a, b in zip(ARCHS[i].genes, ARCHS[j].genes, strict=True) if a != b]
        if differ != [(source, target)] or not (within[i] and within[j]):
            continue
        if not np.isfinite([estimates[i], estimates[j]]).all():
            missing += 1
            continue
        pairs += 1
        ties = truth[j] == truth[i], estimates[j] == estimates[i]
        counts += [truth[j] > truth[i], estimates[j] > estimates[i], *ties]
    return [pairs, missing, *(counts / pairs if pairs else counts * np.nan)]


@pytest.mark.parametrize("seed", range(5))
def test_it_is_what_counting_pair_by_pair_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    estimates = rng.integers(0, 3, len(ARCHS)).astype(float)
    estimates[rng.integers(len(ARCHS))] = np.nan
    truth, within = rng.integers(0, 4, len(ARCHS)).astype(float), rng.random(len(ARCHS)) < 0.7
    for mask in (None, within):
        found = operation_bias(CHANGES, estimates, truth, mask)
        among = np.ones(len(ARCHS), dtype=bool) if mask is None else mask
        np.testing.assert_allclose(row(found, UP), counted(estimates, truth, among, 0, 1))
        np.testing.assert_allclose(row(found, DOWN), counted(estimates, truth, among, 1, 0))


def test_an_estimator_that_likes_ones_overestimates_them() -> None:
    ones = np.array([sum(arch.genes) for arch in ARCHS])
    found = operation_bias(CHANGES, ones, -ones)
    assert found.changes == [UP, DOWN]
    assert found.excess.tolist() == [1, -1]
    same = operation_bias(CHANGES, ones, ones * 2.0)
    assert same.excess.tolist() == [0, 0]


def test_a_tie_is_half_a_rise_in_the_excess_alone() -> None:
    truth = np.arange(8)  # rises with every one
    estimates = np.array([0.0] * 7 + [1])
    found = operation_bias(CHANGES, estimates, truth)
    assert row(found, UP) == (12, 0, 1, 3 / 12, 0, 9 / 12)
    np.testing.assert_allclose(found.excess, [-4.5 / 12, 4.5 / 12])


def test_no_pair_within_is_no_share() -> None:
    within = np.array([True] + [False] * 7)
    found = operation_bias(CHANGES, np.arange(8), np.arange(8), within)
    assert found.pairs.tolist() == [0, 0]
    assert np.isnan(found.excess).all()
    assert np.isnan(by_target(found).truth_rises).all()


def test_by_target_sums_over_what_was_there_before() -> None:
    space = NatsTopologySpace()
    archs = [arch for arch in space.archs() if arch.genes[2:] == (0, 0, 0, 0)]
    rng = np.random.default_rng(0)
    estimates, truth = rng.normal(size=(2, len(archs)))
    bias = operation_bias(operation_changes(archs, space), estimates, truth)
    found = by_target(bias)
    assert {change.source for change in found.changes} == {ANY}
    assert found.pairs.tolist() == [2 * 5 * 4] * 5
    assert np.dot(found.excess, found.pairs) == pytest.approx(0)
    for place, change in enumerate(found.changes):
        rows = [k for k, other in enumerate(bias.changes) if other.target == change.target]
        expected = np.average(bias.estimate_rises[rows], weights=bias.pairs[rows])
        assert found.estimate_rises[place] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("estimates", "truth", "within", "message"),
    [
        (np.zeros(8), np.arange(8), None, "estimates that differ"),
        (np.arange(8), np.zeros(8), None, "truth that differ"),
        (np.arange(7), np.arange(7), None, "a mask `within` of 8 architectures"),
        (np.arange(8), np.arange(8), np.arange(8), "a mask `within` of 8"),
        (np.arange(8), np.arange(8), np.ones(7, dtype=bool), "a mask `within` of 8"),
    ],
)
def test_what_does_not_fit_is_refused(
    estimates: np.ndarray, truth: np.ndarray, within: np.ndarray | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        operation_bias(CHANGES, estimates, truth, within)


@pytest.mark.data
def test_parameters_rise_with_convolutions_only_in_the_real_table(data_root: Path) -> None:
    columns = ["arch_str", "params_M_c10", "c10_test200"]
    table = parquet.read_table(data_root / "nb201" / "nb201_accuracy.parquet", columns=columns)
    space = NatsTopologySpace()
    archs = [space.parse(text) for text in table["arch_str"].to_pylist()]
    params, truth = table["params_M_c10"].to_numpy(), table["c10_test200"].to_numpy()
    changes = operation_changes(archs, space)
    found = operation_bias(changes, params, truth)
    rises = {(change.source, change.target): found.estimate_rises[k] for k, change in enumerate(found.changes)}
    assert rises["skip_connect", "nor_conv_1x1"] == rises["nor_conv_1x1", "nor_conv_3x3"] == 1
    assert rises["skip_connect", "none"] == rises["avg_pool_3x3", "none"] == rises["none", "avg_pool_3x3"] == 0
    assert found.pairs.tolist() == [6 * 5**5] * 20

    # Truth, counted by a dictionary of genes; all cells and the largest fifth.
    largest = complexity_groups(params).of_each == 4
    inside = operation_bias(changes, params, truth, largest)
    accuracy = {arch.genes: value for arch, value in zip(archs, truth, strict=True)}
    large = {arch.genes for arch, flag in zip(archs, largest, strict=True) if flag}
    skip, conv = 1, 3
    pairs = [(genes, (*genes[:k], conv, *genes[k + 1 :])) for genes in accuracy for k in range(6) if genes[k] == skip]
    among = [pair for pair in pairs if large.issuperset(pair)]
    place = found.changes.index(Change("edge", "skip_connect", "nor_conv_3x3"))
    for bias, some in ((found, pairs), (inside, among)):
        assert bias.pairs[place] == len(some) > 100
        assert bias.truth_rises[place] == pytest.approx(np.mean([accuracy[b] > accuracy[a] for a, b in some]))


def test_pairs_of_a_hand_made_cell() -> None:
    space = NatsTopologySpace()
    archs = [Arch(space.name, (op, 0, 0, 3, 0, 0)) for op in (1, 4, 3)]  # skip, pool, conv3x3 on the first edge
    found = operation_bias(operation_changes(archs, space), [1, 3, 2], [2, 1, 3])
    rows = {
        (c.source, c.target): (t, e)
        for c, t, e in zip(found.changes, found.truth_rises, found.estimate_rises, strict=True)
    }
    assert rows["skip_connect", "avg_pool_3x3"] == (0, 1)
    assert rows["skip_connect", "nor_conv_3x3"] == (1, 1)
    assert rows["nor_conv_3x3", "avg_pool_3x3"] == (0, 1)
    assert rows["avg_pool_3x3", "nor_conv_3x3"] == (1, 0)
