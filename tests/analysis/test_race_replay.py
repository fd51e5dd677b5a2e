"""What a race would have picked: read from curves, drawn as searches are, compared with the full ranking."""

from __future__ import annotations

import numpy as np
import pytest

from lnas.analysis.race_replay import replay_races, trials_at
from lnas.analysis.racing import Racing
from lnas.analysis.random_searches import draw_searches
from lnas.errors import UsageError
from lnas.types import Arch, Estimate, Trial

DIRECTIONS = {"angle": False, "loss": False, "loss_tail": False, "loss_area": False, "params": True}
STEPS = 8


def trial(number: int, angles: np.ndarray, losses: np.ndarray, params: float = 1.0) -> Trial:
    def curve(name: str, values: np.ndarray) -> Estimate:
        return Estimate.of(
            values[-1], 8.0, {"curves": {name: [v if np.isfinite(v) else None for v in values.tolist()]}}
        )

    estimates = {"angle": curve("angle", angles), "loss": curve("loss", losses), "params": Estimate.of(params)}
    estimates |= {"loss_tail": Estimate.of(-1.0), "loss_area": Estimate.of(-2.0)}
    return Trial(Arch("t", (number,)), estimates)


def pool(quality: np.ndarray, early: np.ndarray) -> list[Trial]:
    """Trainings that show `early` for their first half, and their quality afterwards."""
    late = np.arange(STEPS) >= STEPS // 2
    curves = -np.where(late, quality[:, None], early[:, None])
    return [trial(number, curve, curve) for number, curve in enumerate(curves)]


def test_rungs_read_the_curves() -> None:
    losses = np.linspace(2, 0, 30)
    (read,) = trials_at([trial(0, np.linspace(0.1, 3.0, 30), losses, params=7.0)], 20)
    values = {name: estimate.value for name, estimate in read.estimates.items()}
    assert values["angle"] == pytest.approx(2.0)
    assert values["loss"] == losses[19]
    assert values["loss_tail"] == pytest.approx((losses[10] + losses[19]) / 2)  # of a straight line
    assert values["loss_area"] == pytest.approx(20 * (losses[0] + losses[19]) / 2)
    assert values["params"] == 7.0


def test_a_gap_in_a_curve_is_no_number_where_it_counts() -> None:
    losses = np.array([3.0, np.nan, 1.0])
    first, gap, last = (trials_at([trial(0, losses, losses)], step)[0].estimates for step in (1, 2, 3))
    assert {name: item.status for name, item in gap.items() if name != "params"} == dict.fromkeys(
        ["angle", "loss", "loss_tail", "loss_area"], "nonfinite"
    )
    assert first["loss_area"].value == 3.0
    assert (last["loss"].status, last["loss_area"].status) == ("ok", "nonfinite")


def test_races_that_see_the_truth_at_once_pick_as_full_rankings_do() -> None:
    truth = np.random.default_rng(0).permutation(40).astype(float)
    replay = replay_races(pool(truth, truth), truth, Racing((2, 4, STEPS)), "angle+loss", DIRECTIONS, 16, searches=30)
    assert replay.same == 1.0
    assert replay.difference == 0.0
    assert replay.interval == (0.0, 0.0)
    assert replay.spent == (2 + (4 - 2) / 2 + (8 - 4) / 4) / 8
    drawn = draw_searches(40, 16, 30, seed=0)
    assert replay.full.tolist() == truth[drawn].max(axis=1).tolist()


def test_races_that_are_misled_at_first_lose_what_they_drop() -> None:
    """Early numbers are upside down: of each search the half that is worst goes on, and its best is picked."""
    truth = np.random.default_rng(1).permutation(40).astype(float)
    replay = replay_races(pool(truth, -truth), truth, Racing((4, STEPS)), "angle", DIRECTIONS, 10, searches=30, seed=3)
    drawn = np.sort(truth[draw_searches(40, 10, 30, seed=3)], axis=1)
    assert replay.raced.tolist() == drawn[:, 4].tolist()
    assert replay.full.tolist() == drawn[:, -1].tolist()
    assert replay.same == 0.0
    assert replay.difference == pytest.approx((drawn[:, 4] - drawn[:, -1]).mean())
    low, high = replay.interval
    assert low < replay.difference < high < 0


def test_the_interval_is_that_of_a_mean_of_pairs() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=60)
    noisy = pool(truth, truth + rng.normal(size=60))
    replay = replay_races(noisy, truth, Racing((4, STEPS)), "loss", DIRECTIONS, 10, searches=100)
    deviation = (replay.raced - replay.full).std() / 10
    assert replay.interval.high - replay.interval.low == pytest.approx(2 * 1.96 * deviation, rel=0.15)


def test_what_cannot_be_compared_is_refused() -> None:
    truth = np.arange(10.0)
    trials = pool(truth, truth)
    racing = Racing((2, STEPS))
    with pytest.raises(UsageError, match=r"a finite truth of each of 10 architectures, got \(9,\)"):
        replay_races(trials, truth[1:], racing, "angle", DIRECTIONS, 5)
    with pytest.raises(UsageError, match="a finite truth"):
        replay_races(trials, np.where(truth > 8, np.nan, truth), racing, "angle", DIRECTIONS, 5)
    with pytest.raises(UsageError, match="searches >= 2, got 1"):
        replay_races(trials, truth, racing, "angle", DIRECTIONS, 5, searches=1)
    with pytest.raises(UsageError, match="candidates <= 10"):
        replay_races(trials, truth, racing, "angle", DIRECTIONS, 11)
    with pytest.raises(UsageError, match="step 2 of the curve"):
        replay_races([trial(0, np.ones(1), np.ones(1))] * 10, truth, racing, "angle", DIRECTIONS, 5)
    lost = [trial(n, np.full(STEPS, np.nan), np.ones(STEPS)) for n in range(10)]
    with pytest.raises(UsageError, match="a candidate with all its measures in each search"):
        replay_races(lost, truth, racing, "angle", DIRECTIONS, 5, searches=2)
