from __future__ import annotations

import itertools
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.stats import (
    best_ranking,
    bootstrap_interval,
    correlation_interval,
    criteria,
    kendall_tau,
    paired_difference,
    pearson_r,
    precision_at_bottom,
    precision_at_top,
    ranking_stability,
    resampled_pearson,
    spearman_r,
    tau_at_bottom,
    tau_at_top,
    worst_ranking,
)
from lnas.stats.inversions import resampled_inversions

quickly = settings(deadline=None, max_examples=25)
AT_K = {
    "precision_at_top": precision_at_top,
    "precision_at_bottom": precision_at_bottom,
    "best_ranking": best_ranking,
    "worst_ranking": worst_ranking,
    "tau_at_top": tau_at_top,
    "tau_at_bottom": tau_at_bottom,
}
SIZE_OF_NB201 = 15_625


# Independent references: lists, sets and all orders that ties leave open.


def orders(values):
    """All ways to list the indices, best first, that the values allow; what is missing comes last."""
    cost = [-value if np.isfinite(value) else np.inf for value in values]
    groups = [[i for i in range(len(cost)) if cost[i] == own] for own in sorted(set(cost))]
    return [list(itertools.chain(*parts)) for parts in itertools.product(*map(itertools.permutations, groups))]


def expected_by_enumeration(estimates, truth, k):
    """P@topK, P@bottomK, BR@K, WR@K, each averaged over all orders of either side."""
    n, found = len(truth), []
    for picked, true in itertools.product(orders(estimates), orders(truth)):
        ranks = [true.index(i) + 1 for i in picked]
        found.append(
            (
                Fraction(sum(rank <= k for rank in ranks[:k]), k),
                Fraction(sum(rank > n - k for rank in ranks[-k:]), k),
                Fraction(min(ranks[:k]), n),
                Fraction(max(ranks[:k]), n),
            )
        )
    return [float(sum(column) / len(found)) for column in zip(*found, strict=True)]


def tau_by_enumeration(estimates, truth, k, variant):
    """Tau of pairs among the first k by estimate, its parts averaged over all orders of the estimates."""
    numbers = [value if np.isfinite(value) else -np.inf for value in estimates]
    ways, balance, untied_here, untied_there = orders(estimates), 0, 0, 0
    for picked in ways:
        for i, j in itertools.combinations(picked[:k], 2):
            here, there = np.sign(numbers[i] - numbers[j]) if numbers[i] != numbers[j] else 0, truth[i] - truth[j]
            balance += here * np.sign(there)
            untied_here += here != 0
            untied_there += there != 0
    scale = len(ways) * k * (k - 1) / 2 if variant == "a" else np.sqrt(float(untied_here * untied_there))
    return balance / scale if scale else np.nan


MAYBE_MISSING = st.sampled_from([0.0, 1.0, 2.0, 3.0, np.nan, np.inf])
SMALL = st.lists(st.tuples(MAYBE_MISSING, st.sampled_from([-1.0, 0.0, 0.5])), min_size=1, max_size=5)
PAIRS = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=2, max_size=30)


@settings(deadline=None, max_examples=25)
@given(SMALL, st.data())
def test_criteria_are_the_means_over_all_orders_of_what_is_tied(rows, data):
    estimates, truth = zip(*rows, strict=True)
    k = data.draw(st.integers(1, len(rows)))
    found = [of_top(estimates, truth, k) for of_top in list(AT_K.values())[:4]]
    np.testing.assert_allclose(found, expected_by_enumeration(estimates, truth, k), rtol=1e-12)


@pytest.mark.parametrize("variant", ["a", "b"])
@settings(deadline=None, max_examples=25)
@given(SMALL, st.data())
def test_tau_counts_pairs_as_often_as_both_are_drawn(variant, rows, data):
    estimates, truth = zip(*rows, strict=True)
    k = data.draw(st.integers(1, len(rows)))
    expected = tau_by_enumeration(estimates, truth, k, variant)
    assert tau_at_top(estimates, truth, k, variant) == pytest.approx(expected, nan_ok=True, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "k", "expected"),
    [
        ("precision_at_top", 1, 0),
        ("precision_at_top", 3, 2 / 3),
        ("precision_at_bottom", 1, 1),
        ("precision_at_bottom", 2, 1 / 2),
        ("best_ranking", 1, 3 / 6),
        ("best_ranking", 2, 1 / 6),
        ("worst_ranking", 2, 3 / 6),
        ("worst_ranking", 3, 5 / 6),
        ("tau_at_top", 3, 1 / 3),
        ("tau_at_bottom", 3, 1 / 3),
        ("tau_at_bottom", 2, 1),
    ],
)
def test_counts_by_hand(name, k, expected):
    # The true ranks, from the best estimate to the worst, are 3 1 5 4 2 6: the last three have pairs 4 2, 4 6, 2 6.
    truth, estimates = [70, 90, 50, 60, 80, 40], [6, 5, 4, 3, 2, 1]
    assert AT_K[name](estimates, truth, k) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "k", "expected"),
    [
        ("precision_at_top", 1, 1 / 2),  # either of two, the better of which is the best
        ("precision_at_top", 2, 1 / 2),
        ("best_ranking", 1, 2.5 / 4),  # rank 1 or 4
        ("worst_ranking", 1, 2.5 / 4),
        ("worst_ranking", 3, 1),
        ("precision_at_bottom", 1, 0),
    ],
)
def test_tied_estimates_by_hand(name, k, expected):
    assert AT_K[name]([2, 2, 1, 1], [9, 1, 8, 7], k) == pytest.approx(expected)


@pytest.mark.parametrize("n", [5, 1000, SIZE_OF_NB201])
@pytest.mark.parametrize("tied_side", ["estimates", "truth", "both"])
def test_a_constant_side_gets_what_guessing_gets(n, tied_side):
    constant, values = np.zeros(n), np.random.default_rng(n).normal(size=n)
    estimates = values if tied_side == "truth" else constant
    truth = values if tied_side == "estimates" else constant
    for k in {1, 2, n // 3, n - 1, n}:
        expected = [k / n, k / n, (n + 1) / (k + 1) / n, k * (n + 1) / (k + 1) / n]
        found = [of_top(estimates, truth, k) for of_top in list(AT_K.values())[:4]]
        np.testing.assert_allclose(found, expected, rtol=1e-8)


@quickly
@given(st.permutations(list(range(12))), st.integers(1, 12))
def test_a_perfect_estimator_has_the_best_numbers(truth, k):
    found = [of_top(np.exp(truth), truth, k) for of_top in AT_K.values()]
    tau = 1 if k > 1 else np.nan
    assert found == pytest.approx([1, 1, 1 / 12, k / 12, tau, tau], nan_ok=True)


@quickly
@given(PAIRS, st.sampled_from([np.exp, np.cbrt, lambda x: 100.0 * x - 7]), st.randoms(use_true_random=False))
def test_monotone_maps_and_the_order_given_change_nothing(rows, monotone, random):
    x, y = np.array(rows, dtype=float).T
    shuffled = list(range(len(rows)))
    random.shuffle(shuffled)
    before = criteria([x], y, at=[1, 0.3, 0.5, len(rows)])
    for after in (
        criteria([monotone(x)], y, at=before.at),
        criteria([x], monotone(y), at=before.at),
        criteria([x[shuffled]], y[shuffled], at=before.at),
    ):
        for name in (*AT_K, "kendall_tau", "spearman_r", "tied", "missing"):
            np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=1e-9)


@quickly
@given(PAIRS, st.integers(1, 30))
def test_bottom_is_top_upside_down_and_worst_is_best_of_the_opposite(rows, k):
    x, y = np.array(rows, dtype=float).T
    k = min(k, len(x))
    assert precision_at_bottom(x, y, k) == pytest.approx(precision_at_top(-x, -y, k))
    assert precision_at_top(x, y, k) == pytest.approx(precision_at_top(y, x, k))
    assert tau_at_bottom(x, y, k) == pytest.approx(tau_at_top(-x, -y, k), nan_ok=True)
    assert worst_ranking(x, y, k) == pytest.approx(1 + 1 / len(x) - best_ranking(x, -y, k))


@quickly
@given(PAIRS)
def test_numbers_stay_in_their_ranges(rows):
    x, y = np.array(rows, dtype=float).T
    n = len(x)
    found = criteria([x], y, at=list(range(1, n + 1)))
    slack = 1e-12
    for values in (found.precision_at_top, found.precision_at_bottom):
        assert (values >= -slack).all()
        assert (values <= 1 + slack).all()
    assert (found.best_ranking >= 1 / n - slack).all()
    assert (np.diff(found.best_ranking) <= slack).all()
    assert (np.diff(found.worst_ranking) >= -slack).all()
    assert (found.worst_ranking >= found.sizes / n - slack).all()
    assert (found.worst_ranking <= 1 + slack).all()
    assert (found.best_ranking <= found.worst_ranking + slack).all()
    for values in (found.tau_at_top, found.tau_at_bottom):
        assert (np.abs(values[~np.isnan(values)]) <= 1 + slack).all()
    assert found.tau_at_top[0, -1] == pytest.approx(found.kendall_tau[0], nan_ok=True)


def test_an_int_counts_and_a_float_is_a_ratio():
    truth = np.arange(100.0)
    estimates = np.roll(truth, 1)
    assert precision_at_top(estimates, truth, 1) == 0
    assert precision_at_top(estimates, truth, 1.0) == 1
    assert precision_at_top(estimates, truth, np.int64(20)) == precision_at_top(estimates, truth, np.float32(0.2))
    assert precision_at_top(estimates, truth, 0.039) == precision_at_top(estimates, truth, 3)


def test_ratios_are_rounded_down_but_not_by_an_error_of_floats():
    truth = np.arange(100.0)
    percents = [1, 7, 28, 29, 56, 57, 58, 99]
    assert int(0.29 * 100) == 28
    assert criteria([truth], truth, at=[percent / 100 for percent in percents]).sizes.tolist() == percents


@pytest.mark.parametrize("k", [0, -1, 5, 0.0, 1.5, -0.1, np.nan, True, "1"])
@pytest.mark.parametrize("name", AT_K)
def test_other_k_are_refused(name, k):
    with pytest.raises(UsageError, match=r"expected k a count in 1\.\.4 or a ratio in \(0, 1\], got"):
        AT_K[name]([1, 2, 3, 4], [1, 2, 3, 4], k)


@pytest.mark.parametrize("name", AT_K)
def test_a_ratio_of_less_than_one_is_refused_by_one_and_nan_among_many(name):
    with pytest.raises(UsageError, match=r"expected k \* n >= 1 with n = 4, got 0\.2\."):
        AT_K[name]([1, 2, 3, 4], [1, 2, 3, 4], 0.2)
    found = criteria([[1, 2, 3, 4]], [1, 2, 3, 4], at=[0.2, 0.5])
    assert found.sizes.tolist() == [0, 2]
    assert np.isnan(getattr(found, name)).tolist() == [[True, False]]


@pytest.mark.parametrize("name", AT_K)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_an_unknown_truth_is_refused(name, bad):
    for call in (lambda: AT_K[name]([1, 2, 3], [1, bad, 3], 1), lambda: criteria([[1, 2, 3]], [1, bad, 3])):
        with pytest.raises(UsageError, match="expected a finite truth, got '1 of 3 not finite'"):
            call()


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_architectures_without_an_estimate_rank_last_and_are_counted(missing):
    truth = [1.0, 2.0, 3.0, 4.0, 5.0]
    found = criteria({"gaps": [1.0, missing, 2.0, 3.0, missing], "none": [missing] * 5}, truth, at=[2, 4])
    same = criteria([[1.0, -9.0, 2.0, 3.0, -9.0]], truth, at=[2, 4])
    assert found.missing.tolist() == [2, 5]
    for name in (*AT_K, "kendall_tau", "spearman_r", "tied"):
        np.testing.assert_array_equal(getattr(found, name)[0], getattr(same, name)[0])
    assert found.pearson_r[0] == pytest.approx(pearson_r([1, 2, 3], [1, 3, 4]))
    assert found.precision_at_bottom[0].tolist() == [0.5, 0.75]
    assert found.tied.tolist() == [0.1, 1.0]
    assert np.isnan([found.kendall_tau[1], found.spearman_r[1], found.pearson_r[1]]).all()
    np.testing.assert_allclose(found.precision_at_top[1], [0.4, 0.8])


@quickly
@given(st.lists(st.tuples(*[st.integers(-4, 4)] * 3), min_size=2, max_size=20), st.sampled_from(["a", "b"]))
def test_all_at_once_are_what_each_is_alone(rows, variant):
    x, other, y = np.array(rows, dtype=float).T
    at = [1, 0.5, 1.0]
    found = criteria({"x": x, "other": other}, y, at, variant)
    for number, column in enumerate((x, other)):
        for name, of_top in AT_K.items():
            arguments = (variant,) if name.startswith("tau") else ()
            expected = [of_top(column, y, k, *arguments) for k in at]
            np.testing.assert_array_equal(getattr(found, name)[number], expected)
        assert found.spearman_r[number] == pytest.approx(spearman_r(column, y), nan_ok=True)
        assert found.pearson_r[number] == pytest.approx(pearson_r(column, y), nan_ok=True)
        if len(set(column)) > 1 and len(set(y)) > 1:
            assert found.kendall_tau[number] == pytest.approx(kendall_tau(column, y, variant))


def test_rows_hold_every_number_once():
    found = criteria({"params": [1, 2, 3], "flops": [3, 1, 2]}, [1, 3, 2], at=[1, 0.7])
    rows = list(found.rows())
    assert len(rows) == 2 * (3 + 6 * 2)
    assert len({(row["estimator"], row["criterion"], row["k"]) for row in rows}) == len(rows)
    assert rows[0] == {
        "estimator": "params",
        "criterion": "kendall_tau",
        "k": None,
        "size": None,
        "value": pytest.approx(1 / 3),
    }
    (row,) = (r for r in rows if (r["estimator"], r["criterion"], r["k"]) == ("flops", "precision_at_top", 0.7))
    assert (row["size"], row["value"]) == (2, 0.5)


def test_a_matrix_is_named_by_number():
    assert criteria([[1, 2], [2, 1]], [1, 2], at=[1]).estimators == ["0", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 2], [1, 2]), r"expected a mapping or a matrix \(m, n\), got \(2,\)"),
        (({}, [1, 2]), "expected at least one estimator, got 0"),
        (({"params": [1]}, [1]), "expected at least 2 architectures, got 1"),
        (
            ({"params": [1, 2, 3]}, [1, 2]),
            r"of 'params': expected two vectors of one length >= 1, got \(\(3,\), \(2,\)\)",
        ),
        (([[1, 2]], [1, 2], [1], "c"), """expected variant "a" or "b", got 'c'"""),
        (([[1, 2]], [1, 2], [3]), r"expected k a count in 1\.\.2"),
    ],
)
def test_what_cannot_be_served_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        criteria(*arguments)


def test_stability_takes_the_later_scores_for_the_truth():
    earlier, later = [0.1, 0.2, 0.3, 0.4], [0.1, 0.4, 0.2, 0.3]
    found = ranking_stability(earlier, later, at=[1, 2])
    assert found.kendall_tau[0] == pytest.approx(kendall_tau(earlier, later))
    assert found.best_ranking.tolist() == [[0.5, 0.5]]
    assert ranking_stability(later, later, at=[1, 2]).precision_at_bottom.tolist() == [[1, 1]]


# Published code on the same vectors.


@pytest.fixture(scope="module")
def oracle(data_root):
    """From the name of a case to its scores, its truth and what published code finds."""
    records = json.loads((data_root / "oracles" / "oracles.json").read_text())

    def named(case):
        found = {record["metric"]: record for record in records if record["case"] == case}
        vectors = found.pop("vectors")
        values = {metric: record["value"] for metric, record in found.items()}
        return np.array(vectors["scores"]), np.array(vectors["accuracies"]) / 100, values

    return named


@pytest.mark.data
@pytest.mark.parametrize("case", ["rank:noties", "rank:ties_both"])
def test_correlations_are_those_of_the_released_code_with_and_without_ties(oracle, case):
    scores, truth, values = oracle(case)
    found = criteria([scores], truth)
    correlations = [found.pearson_r[0], found.kendall_tau[0], found.spearman_r[0]]
    expected = [values[name] for name in ("pearson", "kendall_tau_b", "spearman")]
    np.testing.assert_allclose(correlations, expected, rtol=1e-12)
    *_, of_all = values["P@tbK"]
    assert of_all[:4] == [1, len(truth), 1, 1]
    assert tau_at_top(scores, truth, 1.0) == pytest.approx(of_all[4])


@pytest.mark.data
@pytest.mark.parametrize("code", ["P@tbK", "naslib_p_at_tb_k"])
def test_precision_and_inner_tau_are_those_of_the_released_code_without_ties(oracle, code):
    scores, truth, values = oracle("rank:noties")
    for ratio, size, *expected in values[code]:
        found = criteria([scores], truth, at=[float(ratio), size])
        assert found.sizes.tolist() == [size, size]
        numbers = [getattr(found, name)[0] for name in AT_K if "ranking" not in name]
        wanted = [[np.nan if number is None else number] * 2 for number in expected]
        np.testing.assert_allclose(numbers, wanted, atol=1e-12)


@pytest.mark.data
def test_best_and_worst_rankings_are_those_of_the_released_code_without_ties(oracle):
    scores, truth, values = oracle("rank:noties")
    for ratio, _, best, _, worst in values["BWR@K"]:
        found = best_ranking(scores, truth, ratio), worst_ranking(scores, truth, ratio)
        assert found == pytest.approx((best, worst), abs=1e-12)


@pytest.mark.data
def test_with_ties_ours_is_the_mean_of_the_released_rule_over_random_orders(oracle):
    scores, truth, _ = oracle("rank:ties_both")
    rng = np.random.default_rng(0)
    n, k, found = len(truth), 10, []
    for _ in range(2000):
        picked = np.lexsort((rng.random(n), -scores))
        ranks = np.argsort(np.lexsort((rng.random(n), -truth)))[picked]
        found.append(
            ((ranks[:k] < k).mean(), (ranks[-k:] >= n - k).mean(), (ranks[:k].min() + 1) / n, (ranks[:k].max() + 1) / n)
        )
    ours = [of_top(scores, truth, k) for of_top in list(AT_K.values())[:4]]
    error = 5 * np.std(found, axis=0) / np.sqrt(len(found)) + 1e-9
    assert (np.abs(np.mean(found, axis=0) - ours) < error).all()


# Intervals.


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-9, 9), st.integers(0, 3)), min_size=2, max_size=20).filter(
        lambda rows: sum(count for _, _, count in rows) > 1
    ),
    st.sampled_from([1.0, 1e-170, 1e200]),
)
def test_counts_stand_for_repeated_pairs_in_pearson(rows, scale):
    x, y, counts = np.array(rows).T
    expected = pearson_r(np.repeat(x, counts), np.repeat(y, counts))
    found = resampled_pearson(x * scale, y * 0.1, np.stack([counts, np.ones_like(counts)]))
    np.testing.assert_allclose(found, [expected, pearson_r(x, y)], atol=1e-9)


def test_one_huge_number_not_drawn_hides_nothing():
    x, y = np.array([1.0, 2.0, 3.0, 1e13]), np.array([1.0, 3.0, 2.0, 0.0])
    (found,) = resampled_pearson(x, y, np.array([[1, 1, 1, 0]]))
    assert found == pytest.approx(pearson_r(x[:3], y[:3]), abs=1e-3)
    assert np.isnan(resampled_pearson(x, y, np.array([[0, 0, 3, 0]]))).all()


@pytest.mark.parametrize(
    ("correlation", "plain"), [("kendall_tau", kendall_tau), ("spearman_r", spearman_r), ("pearson_r", pearson_r)]
)
def test_intervals_are_those_of_resamples_taken_one_by_one(correlation, plain):
    rng = np.random.default_rng(1)
    truth = rng.normal(size=40)
    good, poor = truth + rng.normal(size=40), np.round(truth + 3 * rng.normal(size=40))
    draws = np.random.default_rng(7).integers(40, size=(50, 40))
    of_good, of_poor = ([plain(scores[i], truth[i]) for i in draws] for scores in (good, poor))
    single = correlation_interval(good, truth, correlation, resamples=50, level=0.9, seed=7)
    assert single == pytest.approx(np.quantile(of_good, [0.05, 0.95]))
    found = paired_difference(good, poor, truth, correlation, resamples=50, level=0.9, seed=7)
    assert found.value == pytest.approx(plain(good, truth) - plain(poor, truth))
    assert found.interval == pytest.approx(np.quantile(np.subtract(of_good, of_poor), [0.05, 0.95]))
    swapped = paired_difference(poor, good, truth, correlation, resamples=50, level=0.9, seed=7)
    assert swapped.interval == pytest.approx((-found.interval.high, -found.interval.low))


def test_a_pair_that_errs_alike_is_told_apart_where_separate_intervals_overlap():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    better = truth + rng.normal(size=200)
    worse = better + 0.4 * rng.normal(size=200)
    intervals = [correlation_interval(scores, truth, resamples=200) for scores in (better, worse)]
    assert intervals[0].low < intervals[1].high
    assert paired_difference(better, worse, truth, resamples=200).is_decided
    assert not paired_difference(better, better, truth, resamples=20).is_decided


def test_missing_estimates_rank_last_in_intervals_and_drop_out_of_pearson():
    rng = np.random.default_rng(0)
    truth, scores = rng.normal(size=(2, 30))
    gaps = np.where(np.arange(30) % 5, scores, np.nan)
    low = np.where(np.arange(30) % 5, scores, -9.0)
    known = np.isfinite(gaps)
    assert correlation_interval(gaps, truth, resamples=30) == correlation_interval(low, truth, resamples=30)
    dropped = bootstrap_interval(resampled_pearson, scores[known], truth[known], resamples=30)
    assert correlation_interval(gaps, truth, "pearson_r", resamples=30) == dropped
    value = paired_difference(truth, gaps, truth, "pearson_r", resamples=30).value
    assert value == pytest.approx(1 - pearson_r(scores[known], truth[known]))


def test_intervals_refuse_what_they_cannot_serve():
    with pytest.raises(UsageError, match=r"unknown correlation 'kendal'\. Did you mean 'kendall_tau'\?"):
        correlation_interval([1, 2], [1, 2], "kendal")
    with pytest.raises(UsageError, match="expected at least 2 architectures with numbers, got 1"):
        paired_difference([1, np.nan, 2], [np.nan, 2, 1], [1, 2, 3], "pearson_r")
    with pytest.raises(UsageError, match="finite truth"):
        correlation_interval([1, 2], [1, np.nan])


@quickly
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 4)), min_size=1, max_size=70), st.booleans())
def test_inversions_are_counted_as_often_as_both_are_drawn(rows, spread):
    numbers, counts = np.array(rows).T
    numbers = numbers + spread * np.random.default_rng(0).permutation(len(rows)) / len(rows)
    pairs = itertools.combinations(range(len(rows)), 2)
    expected = sum(counts[i] * counts[j] for i, j in pairs if numbers[i] > numbers[j])
    assert resampled_inversions(numbers, np.stack([counts, 2 * counts])).tolist() == [expected, 4 * expected]


def test_inversions_of_very_many_are_exact():
    n = 3001
    counts = np.stack([np.full(n, 5), np.arange(n) % 2])
    assert resampled_inversions(-np.arange(n), counts).tolist() == [25 * n * (n - 1) / 2, 1500 * 1499 / 2]
