from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.stats import measure_names, rank_sum
from lnas.types import Arch, Estimate, Trial

MEASURES = ("angle", "loss", "params")
DIRECTIONS = {"angle": True, "loss": False, "params": True}
quickly = settings(deadline=None, max_examples=50)

# Ranks by hand. angle, higher is better: 1 2 3 4; loss, lower is better: 1 3 2 4; params, higher is better: 4 1 3 2.
# angle + loss is 2 5 5 8, which ranks 1 2.5 2.5 4. Of angle and loss, the first trial beats all and all beat the last;
# of angle and params, the second beats the last two, and no other pair is decided.
FOUR = {"angle": [9.0, 7.0, 5.0, 3.0], "loss": [0.1, 0.3, 0.2, 0.4], "params": [10.0, 40.0, 20.0, 30.0]}


def trials_of(columns):
    names = list(columns)
    return [
        Trial(Arch("tiny", (number,)), {name: Estimate.of(value) for name, value in zip(names, row, strict=True)})
        for number, row in enumerate(zip(*columns.values(), strict=True))
    ]


@pytest.mark.parametrize(
    ("expression", "total", "order"),
    [
        ("angle", [1, 2, 3, 4], [0, 1, 2, 3]),
        ("loss", [1, 3, 2, 4], [0, 2, 1, 3]),
        ("params", [4, 1, 3, 2], [1, 3, 2, 0]),
        ("angle+loss", [2, 5, 5, 8], [0, 1, 2, 3]),
        ("angle+loss+params", [6, 6, 8, 10], [0, 1, 2, 3]),
        ("(angle+loss)+params", [5, 3.5, 5.5, 6], [1, 0, 2, 3]),
        ("params+(angle+loss)", [5, 3.5, 5.5, 6], [1, 0, 2, 3]),
        ("(angle+loss+params)", [1.5, 1.5, 3, 4], [0, 1, 2, 3]),
        ("((angle+loss)+params)+loss", [3, 4, 5, 8], [0, 1, 2, 3]),
        ("loss+loss", [2, 6, 4, 8], [0, 2, 1, 3]),
        (" angle + loss ", [2, 5, 5, 8], [0, 1, 2, 3]),
        ("vote(angle,loss,params)", [1, 2, 3, 4], [0, 1, 2, 3]),
        ("vote(angle,params)", [2, 1, 3.5, 3.5], [1, 0, 2, 3]),
        ("vote(angle, loss) + params", [5, 3.5, 5.5, 6], [1, 0, 2, 3]),
        ("(vote (angle,loss)+params)+loss", [3, 4, 5, 8], [0, 1, 2, 3]),
        ("params+(vote(angle,loss))", [5, 3.5, 5.5, 6], [1, 0, 2, 3]),
    ],
)
def test_sums_worked_by_hand(expression, total, order):
    result = rank_sum(expression, trials_of(FOUR), DIRECTIONS)
    assert result.total.tolist() == total
    assert result.order.tolist() == order


def test_ranks_are_given_by_measure():
    result = rank_sum("(angle+loss)+params", trials_of(FOUR), DIRECTIONS)
    assert {name: ranks.tolist() for name, ranks in result.ranks.items()} == {
        "angle": [1, 2, 3, 4],
        "loss": [1, 3, 2, 4],
        "params": [4, 1, 3, 2],
    }
    assert result.missing == {"angle": 0, "loss": 0, "params": 0}


def test_ties_share_their_average():
    trials = trials_of({"loss": [2.0, 1.0, 2.0, 3.0, 2.0]})
    assert rank_sum("loss", trials, DIRECTIONS).total.tolist() == [3, 1, 3, 5, 3]


def test_ties_of_the_total_keep_the_order_given():
    trials = trials_of({"angle": [1.0, 2.0, 3.0], "loss": [1.0, 2.0, 3.0]})
    result = rank_sum("angle+loss", trials, DIRECTIONS)
    assert result.total.tolist() == [4, 4, 4]
    assert result.order.tolist() == [0, 1, 2]


def test_many_ties_of_the_total_keep_the_order_given():
    losses = np.random.default_rng(0).integers(3, size=200)
    result = rank_sum("loss", trials_of({"loss": losses.astype(float)}), DIRECTIONS)
    assert result.order.tolist() == sorted(range(200), key=lambda index: losses[index])


@pytest.mark.parametrize("higher_is_better", [True, False])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_trials_without_a_number_share_the_last_ranks_and_are_counted(higher_is_better, bad):
    trials = trials_of({"score": [bad, 5.0, bad, 5.0, 5.0]})
    result = rank_sum("score", trials, {"score": higher_is_better})
    assert result.total.tolist() == [4.5, 2, 4.5, 2, 2]
    assert result.missing == {"score": 2}


def test_failed_and_absent_estimates_count_as_missing():
    arch = Arch("tiny", (0,))
    trials = [
        Trial(arch, {}),
        Trial(arch, {"loss": Estimate.failure(ValueError())}),
        Trial(arch, {"loss": Estimate(0.0, "failed")}),
        Trial(arch, {"loss": Estimate.of(1.0)}),
    ]
    result = rank_sum("loss", trials, DIRECTIONS)
    assert result.total.tolist() == [3, 3, 3, 1]
    assert result.missing == {"loss": 3}


def test_one_trial_is_first():
    assert rank_sum("loss", trials_of({"loss": [7.0]}), DIRECTIONS).total.tolist() == [1]


COLUMNS = st.lists(st.tuples(*[st.integers(-3, 3)] * 3), min_size=1, max_size=8).map(
    lambda rows: dict(zip(MEASURES, np.array(rows, dtype=float).T, strict=True))
)
EXPRESSIONS = st.sampled_from(
    [
        "angle+loss+params",
        "(angle+loss)+params",
        "angle+(loss+params)",
        "vote(angle,loss,params)",
        "vote(angle,loss)+params",
    ]
)


@quickly
@given(COLUMNS, EXPRESSIONS, st.sampled_from(MEASURES), st.sampled_from([np.exp, np.cbrt, lambda x: 100 * x - 7]))
def test_monotone_maps_of_a_measure_change_nothing(columns, expression, measure, monotone):
    before = rank_sum(expression, trials_of(columns), DIRECTIONS)
    after = rank_sum(expression, trials_of(columns | {measure: monotone(columns[measure])}), DIRECTIONS)
    assert after.total.tolist() == before.total.tolist()
    assert after.order.tolist() == before.order.tolist()


@quickly
@given(COLUMNS, EXPRESSIONS, st.sampled_from(MEASURES))
def test_a_measure_with_its_sign_and_direction_flipped_is_the_same(columns, expression, measure):
    before = rank_sum(expression, trials_of(columns), DIRECTIONS)
    flipped = DIRECTIONS | {measure: not DIRECTIONS[measure]}
    after = rank_sum(expression, trials_of(columns | {measure: -columns[measure]}), flipped)
    assert after.total.tolist() == before.total.tolist()


@quickly
@given(COLUMNS, EXPRESSIONS, st.randoms(use_true_random=False))
def test_totals_go_with_the_trials_whatever_their_order(columns, expression, random):
    trials = trials_of(columns)
    shuffled = list(range(len(trials)))
    random.shuffle(shuffled)
    before = rank_sum(expression, trials, DIRECTIONS).total
    after = rank_sum(expression, [trials[index] for index in shuffled], DIRECTIONS).total
    assert after.tolist() == before[shuffled].tolist()


@quickly
@given(COLUMNS, EXPRESSIONS)
def test_order_sorts_the_totals(columns, expression):
    result = rank_sum(expression, trials_of(columns), DIRECTIONS)
    assert sorted(result.order.tolist()) == list(range(len(result.total)))
    assert result.total[result.order].tolist() == sorted(result.total.tolist())


@quickly
@given(COLUMNS, st.permutations(MEASURES))
def test_it_does_not_matter_who_votes_first(columns, members):
    trials = trials_of(columns)
    before = rank_sum("vote(angle,loss,params)+params", trials, DIRECTIONS).total
    assert rank_sum(f"vote({','.join(members)})+params", trials, DIRECTIONS).total.tolist() == before.tolist()


@quickly
@given(COLUMNS)
def test_measures_that_agree_vote_as_each_of_them_ranks(columns):
    columns |= {"loss": -columns["angle"], "params": columns["angle"] ** 3}
    trials = trials_of(columns)
    voted = rank_sum("vote(angle,loss,params)", trials, DIRECTIONS).total
    assert voted.tolist() == rank_sum("angle", trials, DIRECTIONS).total.tolist()


def test_a_vote_without_a_number_is_a_vote_for_the_other_and_the_trial_comes_last():
    trials = trials_of({"angle": [math.nan, 1.0, 2.0], "loss": [0.1, 0.2, 0.3], "params": [9.0, 8.0, 7.0]})
    result = rank_sum("vote(angle,loss,params)", trials, DIRECTIONS)
    assert result.total.tolist() == [1, 2, 3]
    assert result.missing == {"angle": 1, "loss": 0, "params": 0}
    assert result.order.tolist() == [1, 2, 0]


def test_a_measure_may_be_called_vote():
    trials = trials_of({"vote": [2.0, 1.0]})
    assert rank_sum("vote+vote", trials, {"vote": False}).total.tolist() == [4, 2]


@pytest.mark.parametrize("vote", ["vote(angle)", "vote(angle,angle)", "vote(loss,angle,loss)"])
def test_a_vote_of_fewer_than_two_measures_is_refused(vote):
    with pytest.raises(UsageError) as caught:
        measure_names(f"{vote}+params")
    assert f"expected a vote of two or more measures, each once, got {vote!r}." in str(caught.value)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("vote(synflow,jacob_cov, snip)+params", ["synflow", "jacob_cov", "snip", "params"]),
        ("angle", ["angle"]),
        ("params+(angle+loss)+angle", ["params", "angle", "loss"]),
        ("train_acc@3 + table:nats-1.0/cifar10", ["train_acc@3", "table:nats-1.0/cifar10"]),
    ],
)
def test_measure_names_come_in_order_and_once(expression, names):
    assert measure_names(expression) == names


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "  ",
        "+",
        "angle+",
        "+angle",
        "angle++loss",
        "(angle",
        "angle)",
        "()",
        "angle loss",
        "angle-(loss)",
        "3",
        "a*b",
        "angle,loss",
        ",angle",
        "(angle,loss)",
        "vote(",
        "vote()",
        "vote(angle,)",
        "vote(angle,loss",
        "vote(angle+loss,params)",
        "vote((angle),loss)",
        "vote(angle,loss)params",
    ],
)
def test_malformed_expressions_are_refused_and_shown(expression):
    with pytest.raises(UsageError) as caught:
        measure_names(expression)
    assert f"expected measure names joined by '+', brackets closed, got {expression!r}." in str(caught.value)


def test_an_unknown_measure_is_refused_with_the_nearest():
    with pytest.raises(UsageError) as caught:
        rank_sum("angel+loss", trials_of(FOUR), DIRECTIONS)
    assert str(caught.value) == (
        "rank_sum('angel+loss'): unknown measure 'angel'. Did you mean 'angle'? Known: angle, loss, params."
    )


def test_no_trials_are_refused():
    with pytest.raises(UsageError, match=r"rank_sum\('loss'\): expected at least one trial, got 0"):
        rank_sum("loss", [], DIRECTIONS)


def test_a_trial_without_a_number_never_comes_before_one_with_all() -> None:
    # Six of ten lack the angle and share rank 7.5 there; the most parameters would carry them to the top.
    trials = [
        Trial(
            Arch("x", (i,)),
            {
                "angle": Estimate.of(float(i) if i < 4 else float("nan")),
                "params": Estimate.of(float(i)),
            },
        )
        for i in range(10)
    ]
    ranking = rank_sum("angle+params", trials, {"angle": False, "params": True})
    assert ranking.total[9] < ranking.total[0]
    assert set(ranking.order[:4]) == {0, 1, 2, 3}
    assert ranking.complete.tolist() == [True] * 4 + [False] * 6
