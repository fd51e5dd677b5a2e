from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.stats import kendall_tau, pairwise_agreement, vote

quickly = settings(deadline=None, max_examples=25)

CIRCLE = [[3.0, 2.0, 1.0], [1.0, 3.0, 2.0], [2.0, 1.0, 3.0]]
values = st.sampled_from([-1.0, 0.0, 1.0, 2.0, np.nan, np.inf, -np.inf])


@st.composite
def matrices(draw):
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 7))
    row = st.lists(values, min_size=columns, max_size=columns)
    return np.array(draw(st.lists(row, min_size=rows, max_size=rows)))


def preference(one: float, other: float, higher: bool) -> int:
    """Return 1 where a measure prefers one, by the sentence of the docstring."""
    if not (np.isfinite(one) and np.isfinite(other)):
        return int(np.isfinite(one)) - int(np.isfinite(other))
    return int(np.sign(one - other)) * (1 if higher else -1)


def majority(scores: np.ndarray, directions: list[bool], a: int, b: int) -> int:
    return int(np.sign(sum(preference(row[a], row[b], up) for row, up in zip(scores, directions, strict=True))))


@quickly
@given(matrices(), st.data())
def test_the_score_is_the_sum_over_pairs(scores, data):
    directions = data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    candidates = range(scores.shape[1])
    by_hand = [sum(majority(scores, directions, a, b) for b in candidates) for a in candidates]
    assert vote(scores, directions).tolist() == by_hand


def test_a_majority_of_two_to_one_decides_each_pair():
    # a before b by two, a before c by two, b before c by two.
    assert vote([[3, 2, 1], [3, 2, 1], [1, 2, 3]], [True] * 3).tolist() == [2, 0, -2]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_circle_is_a_tie_whatever_the_order(order):
    assert vote(np.array(CIRCLE)[:, order], [True] * 3).tolist() == [0, 0, 0]


def test_two_measures_that_disagree_decide_nothing():
    assert vote([[1, 2, 3], [3, 2, 1]], [True, True]).tolist() == [0, 0, 0]
    assert vote([[1, 2, 3], [3, 2, 1]], [True, False]).tolist() == [-2, 0, 2]


@quickly
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=9), st.booleans())
def test_one_measure_ranks_as_it_does_alone(row, higher):
    expected = scipy.stats.rankdata(row if higher else [-value for value in row])
    assert scipy.stats.rankdata(vote([row], [higher])).tolist() == expected.tolist()


@quickly
@given(st.permutations(range(6)), st.lists(st.sampled_from([np.exp, np.cbrt, lambda x: 5 * x - 1]), min_size=1))
def test_the_unanimous_order_wins(row, monotone):
    scores = [function(np.array(row, dtype=float)) for function in monotone]
    assert vote(scores, [True] * len(scores)).tolist() == [2 * place - 5 for place in row]


@quickly
@given(matrices(), st.randoms(use_true_random=False))
def test_neither_order_of_candidates_nor_of_measures_matters(scores, random):
    columns, rows = list(range(scores.shape[1])), list(range(len(scores)))
    random.shuffle(columns)
    random.shuffle(rows)
    before = vote(scores, [True] * len(rows))
    assert vote(scores[rows][:, columns], [True] * len(rows)).tolist() == before[columns].tolist()


@quickly
@given(matrices())
def test_wins_and_defeats_balance(scores):
    assert vote(scores, [True] * len(scores)).sum() == 0


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_loses_to_every_number(bad, higher):
    assert vote([[bad, -9.0, 9.0, bad]], [higher])[[0, 3]].tolist() == [-2, -2]


@pytest.mark.parametrize("measures", [127, 128, 300])
def test_more_measures_than_a_byte_counts(measures):
    assert vote(np.tile([[1.0, 2.0]], (measures, 1)), [True] * measures).tolist() == [-1, 1]


def test_many_candidates_come_in_blocks_with_the_same_result():
    scores = np.random.default_rng(0).integers(50, size=(3, 1300)).astype(float)
    matrix = np.sign(np.sign(scores[:, :, None] - scores[:, None, :]).sum(axis=0))
    assert vote(scores, [True] * 3).tolist() == matrix.sum(axis=1).tolist()
    later_wins = -matrix[np.triu_indices(1300, k=1)]
    share = np.mean((1 + later_wins) / 2)
    assert pairwise_agreement(scores, np.arange(1300.0), [True] * 3) == pytest.approx(share)


@pytest.mark.slow
def test_a_whole_benchmark_takes_seconds():
    scores = np.random.default_rng(0).normal(size=(3, 15_625))
    started = time.perf_counter()
    vote(scores, [True] * 3)
    assert time.perf_counter() - started < 20


def agreement_by_hand(scores: np.ndarray, truth: np.ndarray) -> float:
    pairs = [(a, b) for a, b in itertools.permutations(range(len(truth)), 2) if truth[a] != truth[b]]
    signs = [majority(scores, [True] * len(scores), a, b) * np.sign(truth[a] - truth[b]) for a, b in pairs]
    return sum((1 + sign) / 2 for sign in signs) / len(pairs)


@quickly
@given(matrices(), st.data())
def test_agreement_is_the_share_of_ordered_pairs(scores, data):
    n = scores.shape[1]
    truth = np.array(data.draw(st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=n, max_size=n)))
    if len(set(truth.tolist())) > 1:
        expected = agreement_by_hand(scores, truth)
        assert pairwise_agreement(scores, truth, [True] * len(scores)) == pytest.approx(expected)


@quickly
@given(st.permutations(range(7)), st.permutations(range(7)), st.permutations(range(7)), st.permutations(range(7)))
def test_agreement_without_ties_is_counted_as_by_zero_cost_nas(one, two, three, truth):
    """There a measure votes +1 for a positive difference and else nothing; at least half of them make the sign +1."""
    right = total = 0
    for i, j in itertools.permutations(range(7), 2):
        positive = sum(row[i] - row[j] > 0 for row in (one, two, three))
        sign = 1 if positive >= 3 / 2 else -1
        right += sign * (truth[i] - truth[j]) > 0
        total += 1
    assert pairwise_agreement([one, two, three], truth, [True] * 3) == pytest.approx(right / total)


@quickly
@given(st.permutations(range(8)), st.permutations(range(8)))
def test_agreement_of_one_measure_is_kendalls_on_another_scale(row, truth):
    share = pairwise_agreement([row], truth, [True])
    assert 2 * share - 1 == pytest.approx(kendall_tau(row, truth, "a"))
    assert pairwise_agreement([row], truth, [False]) == pytest.approx(1 - share)


def test_no_preference_counts_half_and_equal_truths_not_at_all():
    assert pairwise_agreement([[1, 1, 1]], [1, 2, 3], [True]) == 0.5
    assert pairwise_agreement([[1, 2, 9]], [1, 2, 2], [True]) == 1


@pytest.mark.parametrize(
    ("scores", "directions"),
    [([1, 2], [True]), ([[1, 2]], [True, True]), ([[]], [True]), (np.zeros((0, 3)), [])],
)
def test_scores_that_are_no_matrix_of_measures_are_refused(scores, directions):
    with pytest.raises(UsageError, match=r"vote\(scores, higher_is_better\): expected scores of shape \(m, n\)"):
        vote(scores, directions)


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ([1, 2], r"truth of shape \(3,\), got \(2,\)"),
        ([1, 2, np.nan], "a finite truth, got '1 others'"),
        ([1, 1, 1], "a truth that differs somewhere"),
    ],
)
def test_a_truth_that_orders_nothing_is_refused(truth, message):
    with pytest.raises(UsageError, match=message):
        pairwise_agreement([[1, 2, 3]], truth, [True])
