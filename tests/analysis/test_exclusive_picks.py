from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from lnas.analysis.cell_features import cell_features
from lnas.analysis.exclusive_picks import exclusive_picks, features_of_picks
from lnas.errors import UsageError
from lnas.spaces import NatsTopologySpace

TEG = {"cond": False, "regions": True, "mse": False}
FEW = st.sampled_from([*map(float, range(6)), np.nan])


def listed(groups: dict[str, np.ndarray]) -> dict[str, list[int]]:
    return {name: places.tolist() for name, places in groups.items()}


def test_the_three_groups_by_hand() -> None:
    measures = {
        "cond": [1, 2, 9, 8, 7, 6],
        "regions": [10, 60, 50, 20, 30, 40],
        "mse": [0.9, 0.1, 0.8, 0.7, 0.2, 0.5],
    }
    found = exclusive_picks(measures, TEG, 2)
    assert listed(found.picked) == {"cond": [0, 1], "regions": [1, 2], "mse": [1, 4]}
    assert listed(found.only) == {"cond": [0], "regions": [2], "mse": [4]}
    assert found.thresholds == {"cond": 2, "regions": 50, "mse": 0.2}
    assert listed(exclusive_picks(measures, TEG, 1 / 3).only) == listed(found.only)


def test_what_ties_at_the_threshold_is_picked_too() -> None:
    found = exclusive_picks({"cond": [1, 2, 2, 2, 5], "regions": [1, 2, 3, 4, 5]}, TEG, 2)
    assert listed(found.picked) == {"cond": [0, 1, 2, 3], "regions": [3, 4]}
    assert listed(found.only) == {"cond": [0, 1, 2], "regions": [4]}


def test_what_lacks_a_number_is_in_no_group_and_no_part_of_the_ratio() -> None:
    found = exclusive_picks({"cond": [np.nan, 1, 2, 3, 4], "regions": [9, 1, np.inf, 7, 8]}, TEG, 0.34)
    assert (found.where.tolist(), found.missing) == ([1, 3, 4], 2)
    assert listed(found.only) == {"cond": [1], "regions": [4]}


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(FEW, FEW, FEW), min_size=3, max_size=20), st.integers(1, 3))
def test_they_are_the_sets_of_the_definition(rows: list[tuple[float, float, float]], k: int) -> None:
    columns = dict(zip(TEG, np.array(rows).T, strict=True))
    known = [place for place, row in enumerate(rows) if np.isfinite(row).all()]
    if len(known) < max(2, k) or any(len(set(column[known])) == 1 for column in columns.values()):
        with pytest.raises(UsageError):
            exclusive_picks(columns, TEG, k)
        return
    found = exclusive_picks(columns, TEG, k)

    def better(name: str, place: int) -> int:
        own = columns[name]
        return sum(own[other] > own[place] if TEG[name] else own[other] < own[place] for other in known)

    for name in TEG:
        others = [other for other in TEG if other != name]
        alone = [p for p in known if better(name, p) < k and all(better(other, p) >= k for other in others)]
        assert found.only[name].tolist() == alone
        assert found.picked[name].tolist() == [place for place in known if better(name, place) < k]


def test_means_of_the_groups_against_all() -> None:
    picks = exclusive_picks({"cond": [1, 1, 1, 5, 6, 7, None], "regions": [1, 2, 3, 4, 9, 9, 9]}, TEG, 2)
    assert listed(picks.only) == {"cond": [0, 1, 2], "regions": [4, 5]}
    depth = np.array([1.0, 2.0, np.nan, 3.0, 2.0, 3.0, 99.0])
    found = features_of_picks({"depth": depth}, picks)["cond"]["depth"]
    assert (found.mean, found.overall) == (1.5, 2.2)
    welch = ttest_ind([1, 2], [3, 2, 3], equal_var=False).confidence_interval(0.95)
    # mean - overall is 3/5 of what the group is from the other three.
    assert (found.low, found.high) == pytest.approx((welch.low * 3 / 5, welch.high * 3 / 5))


def test_an_empty_group_has_no_mean() -> None:
    picks = exclusive_picks({"cond": [1, 2, 3], "regions": [3, 2, 1]}, TEG, 1)
    assert listed(picks.only) == {"cond": [], "regions": []}
    found = features_of_picks({"depth": [1, 2, 3], "never": [np.nan] * 3}, picks)["cond"]
    assert np.isnan([found["depth"].mean, found["depth"].low, *found["never"]]).all()
    assert found["depth"].overall == 2


def test_a_measure_of_depth_picks_the_deep() -> None:
    space = NatsTopologySpace()
    rng = np.random.default_rng(0)
    features = cell_features([space.sample(rng) for _ in range(300)], space)
    measures = {"deep": features["depth"], "wide": features["edges"] - features["depth"]}
    found = features_of_picks(features, exclusive_picks(measures, {"deep": True, "wide": True}, 0.1))
    assert found["deep"]["depth"].mean == 3
    assert found["deep"]["depth"].low > 0 > found["wide"]["depth"].high


@pytest.mark.parametrize(
    ("measures", "k", "message"),
    [
        ({"cond": [1, 2]}, 1, "at least 2 measures, got '1 measures'"),
        ({"cond": [1, 2], "region": [1, 2]}, 1, "unknown direction of measure 'region'. Did you mean 'regions'"),
        ({"cond": [1, 2], "regions": [1, 2, 3]}, 1, "vectors of one length"),
        ({"cond": [1, 2], "regions": [3, 3]}, 1, "regions that differ"),
        ({"cond": [1, 2], "regions": [1, None]}, 1, "a finite estimate in every row"),
        ({"cond": [1, 2], "regions": [1, 2]}, 3, r"a count in 1\.\.2"),
        ({"cond": [1, 2], "regions": [1, 2]}, 0.1, r"k \* n >= 1 with n = 2"),
    ],
)
def test_what_picks_nothing_is_refused(measures: dict[str, list[float]], k: float, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        exclusive_picks(measures, TEG, k)


def test_features_of_others_are_refused() -> None:
    picks = exclusive_picks({"cond": [1, 2, 3], "regions": [3, 2, 1]}, TEG, 1)
    with pytest.raises(UsageError, match=r"features of shape \(3,\), got \"'depth' of shape \(2,\)\""):
        features_of_picks({"depth": [1, 2]}, picks)
