from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats

from lnas.execution import Serial
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.correlations import Asked, best_of, correlation_jobs, differences, with_intervals
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.jobs import run_jobs
from lnas.stats import correlation_interval, paired_difference

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=30).round(1)
GOOD, BAD = TRUTH + RNG.normal(size=30) / 2, RNG.normal(size=30)
SIZES = np.repeat([1.0, 2.0, 3.0], 10)


def test_each_correlation_is_that_of_scipy_inside_its_interval(evidence: Callable[..., Evidence]) -> None:
    found = evidence(TRUTH, {"good": GOOD, "loss": -BAD}, loss=False)
    jobs = correlation_jobs(found, [20], SIZES, resamples=50)
    drawn = run_jobs(jobs, "", Serial(), Display(quiet=True))
    done = with_intervals(drawn)
    best = np.argsort(-TRUTH, kind="stable")[:20]
    for name, merits in (("good", GOOD), ("loss", BAD)):
        for which, reference in (
            ("kendall_tau", scipy.stats.kendalltau),
            ("spearman_r", scipy.stats.spearmanr),
            ("pearson_r", scipy.stats.pearsonr),
        ):
            value, low, high = done[Asked(name, "key", "all", which)]  # type: ignore[arg-type]
            assert value == pytest.approx(reference(merits, TRUTH).statistic)
            assert (low, high) == correlation_interval(merits, TRUTH, which, 50)  # type: ignore[arg-type]
        among = done[Asked(name, "key", "top 20", "kendall_tau")].value
        assert among == pytest.approx(scipy.stats.kendalltau(merits[best], TRUTH[best]).statistic)
    assert best_of(found, drawn) == ["good", "loss"]


def test_the_same_size_compares_within_sizes_only(evidence: Callable[..., Evidence]) -> None:
    # All that is right is size: within each the order is reversed.
    truth = [1, 2, 11, 12, 21, 22]
    jobs = correlation_jobs(evidence(truth, {"size": [2, 1, 12, 11, 22, 21]}), [], np.repeat([1, 2, 3], 2), 10)
    assert jobs[Asked("size", "key", "same size", "kendall_tau")]().value == -1
    assert jobs[Asked("size", "key", "all", "kendall_tau")]().value == pytest.approx(9 / 15)


def test_what_is_undefined_is_not_asked(evidence: Callable[..., Evidence]) -> None:
    found = evidence([1, 2, 3, 4], {"flat": [1, 1, 1, 1], "flat on top": [1, 2, 5, 5]})
    jobs = correlation_jobs(found, [2], np.ones(4), 10)
    assert {(asked.estimator, asked.subset) for asked in jobs} == {("flat on top", "all"), ("flat on top", "same size")}


def test_what_lacks_a_number_ranks_last_in_intervals_but_not_in_pearsons(evidence: Callable[..., Evidence]) -> None:
    holes = np.where(TRUTH > 1, np.nan, GOOD)
    jobs = correlation_jobs(evidence(TRUTH, {"holes": holes}), [], SIZES, resamples=20)
    for which in ("kendall_tau", "pearson_r"):
        _, *interval = jobs[Asked("holes", "key", "all", which)]().with_interval()  # type: ignore[arg-type]
        assert tuple(interval) == correlation_interval(holes, TRUTH, which, 20)  # type: ignore[arg-type]


def test_differences_are_paired(evidence: Callable[..., Evidence]) -> None:
    found = evidence(TRUTH, {"good": GOOD, "twin": 2 * GOOD, "bad": BAD})
    drawn = run_jobs(correlation_jobs(found, [], SIZES, 200), "", Serial(), Display(quiet=True))
    done = differences(found, drawn, "good")
    assert {asked.estimator for asked in done} == {"twin", "bad"}
    assert done[Asked("twin", "key", "all", "kendall_tau", "good")] == (0, 0, 0)
    value, *interval = done[Asked("bad", "key", "all", "kendall_tau", "good")]
    reference = paired_difference(BAD, GOOD, TRUTH, "kendall_tau", 200)
    assert value == pytest.approx(reference.value)
    assert tuple(interval) == pytest.approx(reference.interval)
