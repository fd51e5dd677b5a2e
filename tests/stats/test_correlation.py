from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.stats import kendall_tau, pearson_r, spearman_r

CORRELATIONS = (kendall_tau, spearman_r, pearson_r)
RANK_CORRELATIONS = (kendall_tau, spearman_r)
INTEGERS = st.lists(st.integers(-20, 20), min_size=2, max_size=12).map(np.array)
PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=12).map(
    lambda pairs: np.array(pairs).T
)
quickly = settings(deadline=None, max_examples=50)


def concordance(x, y):
    """Concordant minus discordant pairs, and the pairs tied in x and in y."""
    pairs = list(itertools.combinations(zip(x, y, strict=True), 2))
    signs = [(np.sign(b[0] - a[0]), np.sign(b[1] - a[1])) for a, b in pairs]
    tied = [sum(sign[side] == 0 for sign in signs) for side in (0, 1)]
    return sum(a * b for a, b in signs), tied, len(pairs)


def vectors(seed, values, n=40):
    rng = np.random.default_rng(seed)
    x = rng.integers(values, size=n)
    return x, x + rng.integers(values, size=n)


@quickly
@given(PAIRS)
def test_tau_a_is_counted_over_all_pairs(pair):
    difference, _, total = concordance(*pair)
    assert kendall_tau(*pair, variant="a") == pytest.approx(difference / total, abs=1e-12)


@quickly
@given(PAIRS)
def test_tau_b_leaves_out_the_ties_of_each_side(pair):
    difference, (tied_x, tied_y), total = concordance(*pair)
    assume(tied_x < total and tied_y < total)
    expected = difference / math.sqrt((total - tied_x) * (total - tied_y))
    assert kendall_tau(*pair) == pytest.approx(expected, abs=1e-12)


def test_ties_lower_tau_a_and_not_tau_b():
    x = [1, 1, 2, 3]
    assert kendall_tau(x, x, variant="a") == pytest.approx(5 / 6)
    assert kendall_tau(x, x) == pytest.approx(1)


@pytest.mark.parametrize("values", [3, 10, 10**6])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (kendall_tau, scipy.stats.kendalltau),
        (spearman_r, scipy.stats.spearmanr),
        (pearson_r, scipy.stats.pearsonr),
    ],
)
def test_agrees_with_scipy(ours, theirs, values):
    for seed in range(10):
        x, y = vectors(seed, values)
        assert ours(x, y) == pytest.approx(theirs(x, y).statistic, abs=1e-12)


@pytest.mark.parametrize("correlation", CORRELATIONS)
@quickly
@given(x=INTEGERS)
def test_a_vector_agrees_with_itself_and_not_with_its_reverse(correlation, x):
    assume(np.ptp(x) > 0)
    assert correlation(x, x) == pytest.approx(1)
    assert correlation(x, -x) == pytest.approx(-1)


@pytest.mark.parametrize("correlation", CORRELATIONS)
@quickly
@given(pair=PAIRS)
def test_sides_may_be_exchanged(correlation, pair):
    assert correlation(*pair) == pytest.approx(correlation(*pair[::-1]), nan_ok=True, abs=1e-12)


@pytest.mark.parametrize("correlation", RANK_CORRELATIONS)
@pytest.mark.parametrize("monotone", [np.exp, np.cbrt, lambda x: x**3 + 7.0])
@quickly
@given(pair=PAIRS)
def test_rank_correlations_ignore_monotone_maps(correlation, monotone, pair):
    x, y = pair.astype(float)
    assert correlation(monotone(x), y) == pytest.approx(correlation(x, y), nan_ok=True, abs=1e-12)


def test_pearson_does_not_ignore_monotone_maps():
    x = np.arange(10.0)
    assert pearson_r(np.exp(x), x) < 0.9


@pytest.mark.parametrize("scale", [1e-170, 1e-3, 1e200])
def test_pearson_ignores_scale_and_shift(scale):
    x, y = vectors(0, 10)
    assert pearson_r(scale * x, 5 - y) == pytest.approx(-pearson_r(x, y))


@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize(("x", "y"), [([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [0.1, 0.1, 0.1]), ([5, 5], [5, 5])])
def test_a_constant_side_has_no_correlation(correlation, x, y):
    assert math.isnan(correlation(x, y))


def test_tau_a_of_a_constant_side_is_zero():
    assert kendall_tau([1, 1, 1], [1, 2, 3], variant="a") == 0


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_returns_a_plain_number(correlation):
    assert type(correlation([1, 2, 3], [1, 3, 2])) is float


@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize(
    ("x", "y", "got"),
    [
        ([1], [1], "((1,), (1,))"),
        ([], [], "((0,), (0,))"),
        ([1, 2], [1, 2, 3], "((2,), (3,))"),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]], "((2, 2), (2, 2))"),
    ],
)
def test_other_shapes_are_refused(correlation, x, y, got):
    with pytest.raises(UsageError) as caught:
        correlation(x, y)
    assert f"{correlation.__name__}(x, y): expected two vectors of one length >= 2, got {got}" in str(caught.value)


@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nonfinite_values_are_refused_and_counted(correlation, bad):
    with pytest.raises(
        UsageError, match=rf"^{correlation.__name__}\(x, y\): expected finite values, got '2 non-finite'"
    ):
        correlation([1, bad, 3, 4], [1, bad, 3, bad])
