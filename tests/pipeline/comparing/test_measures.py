"""One measure in both results."""

from __future__ import annotations

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.pipeline.comparing.measure_tables import Compared, measure_table, most_moved, status_table, top_table
from lnas.pipeline.comparing.measured import Measured
from lnas.pipeline.comparing.measures import Agreement, Common, Pairing, agreement, common, worth
from lnas.pipeline.comparing.pairings import pair_up
from lnas.pipeline.comparing.verdicts import verdict
from lnas.report.table import WithInterval
from lnas.stats import correlation_interval, kendall_tau, paired_difference
from lnas.types import Arch

ARCHS = tuple(Arch("tiny", (k,)) for k in range(40))
SAME = Pairing("m", "m", "m", (True, True))
RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=40)
GOOD, BAD = TRUTH + 0.1 * RNG.normal(size=40), RNG.normal(size=40)


def of(a: list[float] | np.ndarray, b: list[float] | np.ndarray, pairing: Pairing = SAME, **truth: float) -> Common:
    archs = ARCHS[: len(a)]
    one, other = (Measured("here", archs, {"m": np.array(values, dtype=float)}) for values in (a, b))
    known = dict(zip(archs, TRUTH, strict=False)) if truth.get("known", 0) else {}
    return common(pairing, one, other, known)


def found(own: Common) -> Compared:
    alike, ahead = agreement(own, 100), worth(own, 100)
    return Compared(own, alike, ahead, verdict(own, alike, ahead))


def test_numbers_are_brought_together_by_architecture_with_what_became_of_them() -> None:
    a = Measured("a", ARCHS[:3], {"m": np.array([1.0, np.nan, 3.0])}, {"m": {ARCHS[1]: "failed"}})
    b = Measured("b", (ARCHS[2], ARCHS[1], ARCHS[9]), {"m": np.array([3.0, 2.0, 9.0])})
    own = common(SAME, a, b, {ARCHS[1]: 50.0})
    assert own.archs == [ARCHS[1], ARCHS[2]]
    np.testing.assert_array_equal(own.b, [2.0, 3.0])
    np.testing.assert_array_equal(own.truth, [50.0, np.nan])
    assert own.changes == {("failed", "ok"): 1}
    table = status_table([found(own)])
    assert table is not None
    assert table.texts() == [["m", "failed", "ok", "1", str(ARCHS[1])]]


def test_equal_is_bit_for_bit() -> None:
    own = of([0.0, 1.0, 0.3, np.nan], [-0.0, 1.0, 0.1 + 0.2, np.nan])
    assert own.equal.tolist() == [False, True, False, False]
    assert not own.are_same
    assert of([1.0, np.nan], [1.0, np.nan]).are_same


def test_the_table_counts_and_subtracts() -> None:
    columns = {c.name: c.cells for c in measure_table([found(of([1, 2, np.nan, 4], [1, 5, 3, np.nan]))], 100).columns}
    names = ("numbers", "only_a", "only_b", "equal", "mean", "largest")
    assert [columns[name][0] for name in names] == [2, 1, 1, 1, 1.5, 3.0]


def test_correlations_are_those_of_the_statistics_each_measure_in_its_own_direction() -> None:
    other = Pairing("m / n", "m", "m", (True, False))
    own = agreement(of(GOOD, -BAD, other), 200)
    assert own.kendall is not None
    assert own.kendall == pytest.approx((kendall_tau(GOOD, BAD), *correlation_interval(GOOD, BAD, resamples=200)))


def test_worth_is_the_paired_difference_positive_where_b_is_better() -> None:
    own = worth(of(BAD, GOOD, known=1), 200)
    reference = paired_difference(GOOD, BAD, TRUTH, resamples=200)
    assert own is not None
    assert own.ahead is not None
    assert own.ahead == pytest.approx((reference.value, *reference.interval))
    assert own.ahead.low > 0


def test_the_verdict_says_which_is_better_or_that_nobody_can_tell() -> None:
    assert found(of(BAD, GOOD, known=1)).verdict.startswith("B ranks better: tau +0.")
    assert found(of(GOOD, BAD, known=1)).verdict.startswith("A ranks better: tau +0.")
    assert found(of(GOOD, GOOD + 0.05 * BAD, known=1)).verdict.startswith("no difference that n = 40 can show")
    assert found(of(GOOD, 2 * GOOD, known=1)).verdict == "other numbers, the same order of 40 architectures"
    assert found(of(GOOD, GOOD)).verdict == "same numbers on 40 architectures"
    assert found(of(GOOD, BAD)).verdict.startswith("tau between A and B ")
    assert found(of(GOOD, 0 * BAD)).verdict.startswith("they cannot be compared: ")


def test_what_one_side_cannot_rank_is_said_and_no_number() -> None:
    own = worth(of(GOOD, 0 * GOOD, known=1), 50)
    assert own is not None
    assert own.ahead is None
    assert own.b is None
    assert own.undefined == "B: the same for all 40 that have a number"
    assert worth(of(GOOD, GOOD), 50) is None


def test_an_interval_that_is_not_defined_is_said() -> None:
    own, nothing = of(GOOD, BAD, known=1), float("nan")
    alike = Agreement(WithInterval(0.0, nothing, nothing), None, "")
    ahead = worth(own, 10)
    assert ahead is not None
    said = verdict(own, alike, ahead._replace(ahead=WithInterval(0.5, nothing, nothing)))
    assert said == "B's tau less A's is +0.500 on 40 architectures, and no interval is defined"


def test_those_that_move_most_come_first_and_none_that_stays() -> None:
    assert most_moved(of([1, 2, 3, 4], [4, 2, 3, 1]), 5) == [0, 3]
    assert most_moved(of([1, 2, np.nan, 4], [1, 4, 3, 2]), 1) == [1]
    assert most_moved(of([1, 2], [1, 2]), 5) == []


def test_the_tops_overlap_and_are_worth_what_the_truth_says() -> None:
    own = of(TRUTH, -TRUTH, known=1)
    table = top_table([found(own)], [2, 0.5])
    assert table is not None
    cells = {column.name: list(column.cells) for column in table.columns}
    best = np.sort(TRUTH)
    assert cells["size"] == [2, 20]
    assert cells["overlap"] == [0.0, 0.0]
    assert cells["accuracy_a"] == pytest.approx([best[-2:].mean(), best[20:].mean()])
    assert cells["accuracy_b"] == pytest.approx([best[:2].mean(), best[:20].mean()])


def measures(*names: str) -> Measured:
    return Measured("x", ARCHS[:1], {name: np.ones(1) for name in names})


def test_measures_pair_up_by_name_as_asked_or_where_each_has_but_one() -> None:
    both = measures("loss", "mine")
    assert [each.name for each in pair_up(both, measures("mine", "synflow", "loss"), [], [])] == ["loss", "mine"]
    assert pair_up(measures("loss"), measures("synflow"), [], [])[0] == Pairing(
        "loss / synflow", "loss", "synflow", (False, True)
    )
    assert pair_up(both, measures("synflow"), [], []) == []
    asked = pair_up(both, measures("synflow"), ["mine=synflow"], ["mine"])
    assert asked == [Pairing("mine / synflow", "mine", "synflow", (False, True))]
    with pytest.raises(UsageError, match=r"in B: unknown measure 'los'.*'loss'"):
        pair_up(both, both, ["loss=los"], [])
    with pytest.raises(UsageError, match="direction lnas does not know"):
        pair_up(both, measures("synflow"), [], ["synflow"])
