from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.rows import RowsByClass
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.errors import UsageError
from lnas.spaces import NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Arch

quickly = settings(deadline=None, max_examples=50)
SPACE = TinySpace()
CARD = Card("made-up", "Numbers.", "This test.", "none", "By hand.")
GENES = np.array(list(itertools.product((0, 1), repeat=3)), dtype=np.int8)
MEAN, FIRST, SECOND, TEST = (
    AccuracyKey.parse(text) for text in ("r/d/val@3/mean", "r/d/val@3/1", "r/d/val@3/2", "r/d/test@3/mean")
)
NAN = np.nan
LAST = np.array([NAN, 11.0, 12.0, NAN, 14.0, 15.0, 16.0, 17.0])
ACCURACIES = {MEAN: np.arange(10.0, 18.0), FIRST: np.arange(20.0, 28.0), SECOND: LAST, TEST: np.arange(30.0, 38.0)}
SECONDS = {MEAN: np.arange(100.0, 108.0), SECOND: np.where(np.isnan(LAST), NAN, 5.0)}
CURVES = {
    (FIRST, "accuracy"): np.arange(24.0).reshape(8, 3),
    (SECOND, "loss"): np.where(np.isnan(LAST), NAN, 1.0)[:, None] * [3.0, 2.0, 1.0],
}
COUNTS = {"params": np.arange(1000, 1008)}


def arch_of(*genes: int) -> Arch:
    return Arch("tiny", genes)


def made(**changes):
    parts = {"accuracies": ACCURACIES, "seconds": SECONDS, "curves": CURVES, "counts": COUNTS, "genes": GENES}
    return TabularBenchmark(CARD, SPACE, **(parts | changes))


TABLE = made()


def test_an_architecture_is_answered_from_its_row():
    assert TABLE.query(arch_of(1, 0, 1), MEAN) == 15.0
    assert TABLE.query(arch_of(1, 0, 1), SECOND) == 15.0
    assert TABLE.query(arch_of(0, 1, 1), TEST) == 33.0
    assert TABLE.cost(arch_of(0, 1, 1), MEAN) == 103.0
    assert TABLE.curve(arch_of(0, 0, 1), FIRST, "accuracy").tolist() == [3.0, 4.0, 5.0]
    assert TABLE.curve(arch_of(0, 0, 1), SECOND, "loss").tolist() == [3.0, 2.0, 1.0]


@quickly
@given(st.permutations(range(8)))
def test_the_order_of_the_rows_does_not_matter(order):
    other = made(genes=GENES[order], accuracies={MEAN: ACCURACIES[MEAN][order]}, seconds={}, curves={}, counts={})
    archs = list(TABLE.archs())
    assert other.queries(archs, MEAN).tolist() == TABLE.queries(archs, MEAN).tolist()
    assert [archs[k] for k in order] == list(other.archs())


def test_rows_are_as_given():
    assert len(TABLE) == 8
    assert [arch.genes for arch in TABLE.archs()] == list(itertools.product((0, 1), repeat=3))
    assert [TABLE.row(arch) for arch in TABLE.archs()] == list(range(8))
    assert TABLE.keys() == (MEAN, FIRST, SECOND, TEST)


def test_several_are_asked_at_once():
    answers = TABLE.queries([arch_of(1, 1, 1), arch_of(0, 0, 0)], TEST)
    assert answers.dtype == np.float64
    assert answers.tolist() == [37.0, 30.0]
    assert TABLE.queries([], TEST).tolist() == []


def test_a_table_is_the_whole_column():
    column = TABLE.table(SECOND)
    assert column.genes.tolist() == GENES.tolist()
    assert np.array_equal(column.accuracy, LAST, equal_nan=True)
    assert np.array_equal(column.seconds, SECONDS[SECOND], equal_nan=True)
    assert TABLE.table(TEST).seconds is None


def test_a_table_is_a_view_that_cannot_be_written():
    genes, accuracy, seconds = TABLE.table(MEAN)
    assert np.shares_memory(accuracy, ACCURACIES[MEAN])
    for values in (genes, accuracy, seconds, TABLE.counts["params"], TABLE.curve(arch_of(0, 0, 0), FIRST, "accuracy")):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0
    # What the caller holds stays theirs to write.
    assert ACCURACIES[MEAN].flags.writeable


@pytest.mark.parametrize("ask", [TABLE.query, TABLE.cost])
def test_a_seed_that_was_not_run_is_answered_with_those_that_were(ask):
    with pytest.raises(UsageError) as caught:
        ask(arch_of(0, 1, 1), SECOND)
    assert str(caught.value) == (
        "benchmark 'made-up', tiny:0-1-1, r/d/val@3/2: expected a seed it was trained with: mean, 1, got 2. "
        "Name another."
    )


def test_a_curve_that_was_not_run_is_answered_alike():
    with pytest.raises(UsageError, match=r"expected a seed it was trained with: mean, 1, got 2\."):
        TABLE.curve(arch_of(0, 0, 0), SECOND, "loss")


def test_an_architecture_without_any_seed_is_said_to_have_none():
    sample = AccuracyKey("r", "d", "val", 9, 1)
    table = made(accuracies={MEAN: ACCURACIES[MEAN], sample: LAST}, seconds={}, curves={})
    with pytest.raises(UsageError, match=r"r/d/val@9/1: expected an architecture that was trained so, got"):
        table.query(arch_of(0, 0, 0), sample)


def test_a_time_or_curve_that_was_not_recorded_is_not_taken_for_a_missing_training():
    sparse = np.where(np.arange(8) == 2, NAN, 1.0)
    table = made(seconds={MEAN: sparse}, curves={(MEAN, "loss"): sparse[:, None] * [3.0, 2.0, 1.0]})
    assert table.query(arch_of(0, 1, 0), MEAN) == 12.0
    for ask, what in ((table.cost, "time"), (partial(table.curve, quantity="loss"), "curve")):
        with pytest.raises(UsageError, match=rf"tiny:0-1-0, r/d/val@3/mean: expected a recorded {what}, got 'none'"):
            ask(arch_of(0, 1, 0), MEAN)


@pytest.mark.parametrize("ask", [TABLE.query, TABLE.cost])
def test_an_unknown_key_is_answered_with_what_there_is(ask):
    with pytest.raises(UsageError) as caught:
        ask(arch_of(0, 0, 0), AccuracyKey("r", "d", "val", 3, 3))
    assert "benchmark 'made-up' has no accuracies under 'r/d/val@3/3'" in str(caught.value)
    assert "It has: r/d/val@3/mean, r/d/val@3/1, r/d/val@3/2, r/d/test@3/mean." in str(caught.value)


def test_an_unknown_key_has_no_table_either():
    with pytest.raises(UsageError, match="has no accuracies under 'q/d/val@3/1'"):
        TABLE.table(AccuracyKey("q", "d", "val", 3, 1))


def test_a_key_without_times_is_answered_with_those_that_have_some():
    with pytest.raises(UsageError) as caught:
        TABLE.cost(arch_of(0, 0, 0), TEST)
    assert "no recorded time under 'r/d/test@3/mean'. It has: r/d/val@3/mean, r/d/val@3/2." in str(caught.value)


def test_an_unknown_curve_is_answered_with_the_nearest():
    with pytest.raises(UsageError) as caught:
        TABLE.curve(arch_of(0, 0, 0), FIRST, "loss")
    assert str(caught.value) == "benchmark 'made-up' has no loss curve under 'r/d/val@3/1'. It has: r/d/val@3/2."
    with pytest.raises(UsageError, match=r"unknown quantity 'los'\. Did you mean 'loss'\?"):
        TABLE.curve(arch_of(0, 0, 0), FIRST, "los")
    with pytest.raises(UsageError, match=r"has no loss curve under 'r/d/val@3/1'\. It has: none\."):
        made(curves={}).curve(arch_of(0, 0, 0), FIRST, "loss")


@pytest.mark.parametrize("ask", [TABLE.query, TABLE.cost, partial(TABLE.curve, quantity="loss")])
def test_texts_in_place_of_keys_and_architectures_are_told_how_to_be_read(ask):
    with pytest.raises(UsageError, match=r"expected an AccuracyKey, got 'r/d/val@3/mean'\. .*AccuracyKey\.parse"):
        ask(arch_of(0, 0, 0), str(MEAN))
    with pytest.raises(UsageError, match=r"expected an Arch, got '000'\. .*space\.parse"):
        ask("000", SECOND)


@pytest.mark.parametrize(
    ("arch", "words"),
    [
        (Arch("tinier", (0, 0, 0)), "expected an arch of 'tiny', got 'tinier:0-0-0'"),
        (arch_of(0, 0), "expected 3 genes, got (0, 0)"),
        (arch_of(0, 0, 2), "expected gene 2 (digit 2) in 0..1, got 2"),
    ],
)
@pytest.mark.parametrize("ask", [TABLE.query, TABLE.cost])
def test_an_architecture_of_no_such_kind_is_refused(ask, arch, words):
    with pytest.raises(UsageError) as caught:
        ask(arch, MEAN)
    assert words in str(caught.value)


def test_an_architecture_that_the_table_lacks_is_not_guessed():
    table = made(genes=GENES[:6], accuracies={MEAN: ACCURACIES[MEAN][:6]}, seconds={}, curves={}, counts={})
    with pytest.raises(UsageError) as caught:
        table.query(arch_of(1, 1, 1), MEAN)
    assert "benchmark 'made-up': expected one of its 6 architectures, got 'tiny:1-1-1'" in str(caught.value)


def replaced(columns, key, values):
    return columns | {key: np.array(values)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"accuracies": replaced(ACCURACIES, MEAN, [*range(7), NAN])},
            "r/d/val@3/mean: expected a number in each mean",
        ),
        (
            {"accuracies": replaced(ACCURACIES, FIRST, [*range(7), -0.1])},
            "expected an accuracy in percent, got -0.1. It",
        ),
        ({"accuracies": replaced(ACCURACIES, FIRST, [101.0] * 8)}, "expected an accuracy in percent, got 101.0. It"),
        ({"accuracies": replaced(ACCURACIES, FIRST, [np.inf] * 8)}, "expected an accuracy in percent, got inf. It"),
        ({"accuracies": replaced(ACCURACIES, MEAN, [1.0] * 7)}, "r/d/val@3/mean: expected shape (8,), got (7,)"),
        ({"accuracies": replaced(ACCURACIES, MEAN, [[1.0]] * 8)}, "r/d/val@3/mean: expected shape (8,), got (8, 1)"),
        ({"accuracies": {}}, "expected accuracies under at least one key, got 'none'"),
        ({"seconds": {MEAN: np.ones(9)}}, "r/d/val@3/mean: expected shape (8,), got (9,)"),
        (
            {"seconds": {MEAN: np.array([1.0, -2.0] * 4)}},
            "r/d/val@3/mean: expected a time in seconds, got -2.0. It stands",
        ),
        ({"seconds": {MEAN: np.full(8, np.inf)}}, "r/d/val@3/mean: expected a time in seconds, got inf. It stands in"),
        ({"counts": {"params": np.full(8, NAN)}}, "params: expected whole numbers from 0, got 'float64, nan and more'"),
        ({"counts": {"params": np.arange(8) - 1}}, "params: expected whole numbers from 0, got 'int64, -1 and more'"),
        (
            {"curves": {(MEAN, "accuracy"): np.arange(24.0).reshape(8, 3) * 5}},
            "curve of r/d/val@3/mean: expected an accuracy in percent, got 105.0. It stands in row 7.",
        ),
        ({"genes": GENES.astype(float)}, "expected whole numbers as genes, got 'float64'"),
        ({"counts": {"params": np.ones(9)}}, "params: expected shape (8,), got (9,)"),
        ({"curves": {(MEAN, "loss"): np.ones((8, 4))}}, "loss curve r/d/val@3/mean: expected shape (8, 3), got (8, 4)"),
        ({"curves": {(MEAN, "loss"): np.ones(8)}}, "loss curve r/d/val@3/mean: expected shape (8, 3), got (8,)"),
        ({"genes": GENES[:, :2]}, "expected rows of 3 genes of 'tiny', at least one, got (8, 2)"),
        ({"genes": GENES.ravel()}, "expected rows of 3 genes of 'tiny', at least one, got (24,)"),
        ({"genes": GENES[:0]}, "expected rows of 3 genes of 'tiny', at least one, got (0, 3)"),
        ({"genes": GENES + 1}, "expected gene 0 (digit 0) in 0..1, got '2 in row 4'"),
        ({"genes": GENES[[0, 1, 2, 3, 4, 5, 6, 2]]}, "expected each architecture once, got 'rows 2 and 7'"),
    ],
)
def test_a_damaged_table_is_refused(changes, words):
    with pytest.raises(UsageError) as caught:
        made(**changes)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_single_seed_is_no_damage():
    assert np.isnan(made(accuracies={SECOND: np.full(8, NAN)}, curves={}).table(SECOND).accuracy).all()


def by_number_of_ones(arch: Arch) -> Arch:
    return Arch(arch.space, tuple(sorted(arch.genes)))


def test_twins_share_the_mean_of_their_accuracies():
    shared = TABLE.averaged_over_twins(by_number_of_ones)
    # 001, 010, 100 are rows 1, 2, 4, and 011, 101, 110 are rows 3, 5, 6.
    one, two = (11 + 12 + 14) / 3, (13 + 15 + 16) / 3
    assert shared.table(MEAN).accuracy == pytest.approx([10, one, one, two, one, two, two, 17])
    assert shared.query(arch_of(1, 0, 0), TEST) == pytest.approx(20 + one)


def test_seeds_that_were_not_run_are_left_out_of_the_mean_of_twins():
    shared = TABLE.averaged_over_twins(by_number_of_ones)
    one, two = (11 + 12 + 14) / 3, (15 + 16) / 2
    expected = [NAN, one, one, two, one, two, two, 17]
    assert shared.table(SECOND).accuracy == pytest.approx(expected, nan_ok=True)


def test_times_curves_and_counts_stay_those_of_each():
    shared = TABLE.averaged_over_twins(by_number_of_ones)
    for arch in TABLE.archs():
        assert shared.cost(arch, MEAN) == TABLE.cost(arch, MEAN)
        assert shared.curve(arch, FIRST, "accuracy").tolist() == TABLE.curve(arch, FIRST, "accuracy").tolist()
    assert shared.counts["params"].tolist() == COUNTS["params"].tolist()


def test_where_no_two_are_twins_nothing_changes():
    assert TABLE.averaged_over_twins().table(MEAN).accuracy.tolist() == ACCURACIES[MEAN].tolist()


def test_the_table_itself_keeps_its_accuracies():
    TABLE.averaged_over_twins(by_number_of_ones)
    assert TABLE.table(MEAN).accuracy.tolist() == list(range(10, 18))


@pytest.mark.parametrize("sense", ["isomorphic", "functional"])
@quickly
@given(
    genes=st.lists(st.tuples(*[st.integers(0, 4)] * 6), min_size=1, max_size=30, unique=True), seed=st.integers(0, 99)
)
def test_twins_of_a_real_space_are_averaged_as_in_a_plain_loop(sense, genes, seed):
    space = NatsTopologySpace()
    values = np.random.default_rng(seed).uniform(0, 100, len(genes))
    table = TabularBenchmark(CARD, space, np.array(genes), {MEAN: values})
    of_class = partial(space.canonical, sense=sense)
    shared = table.averaged_over_twins(of_class).table(MEAN).accuracy
    for k, arch in enumerate(table.archs()):
        alike = [value for value, other in zip(values, table.archs(), strict=True) if of_class(other) == of_class(arch)]
        assert shared[k] == pytest.approx(sum(alike) / len(alike))


def test_rows_may_be_found_in_another_way():
    table = TabularBenchmark(
        CARD,
        SPACE,
        GENES[[0, 1, 3, 7]],
        {MEAN: np.arange(4.0)},
        rows=RowsByClass(GENES[[0, 1, 3, 7]], by_number_of_ones),
    )
    assert [table.query(arch, MEAN) for arch in TABLE.archs()] == [0, 1, 1, 2, 1, 2, 2, 3]
    assert table.averaged_over_twins().query(arch_of(1, 1, 0), MEAN) == 2
    with pytest.raises(UsageError, match=r"expected gene 2 \(digit 2\) in 0\.\.1, got 5"):
        table.query(arch_of(0, 0, 5), MEAN)
