from __future__ import annotations

import math

import pytest

from lnas.errors import UsageError
from lnas.search.objective import Objective
from lnas.search.rewards import Changes, reward_of
from lnas.types import Arch, Estimate, Trial

DIRECTIONS = {"kappa": False, "regions": True}


def trial(**values: float) -> Trial:
    return Trial(Arch("tiny", (0,)), {name: Estimate.of(value) for name, value in values.items()})


def test_changes_are_in_units_of_the_range_so_far() -> None:
    """Eq. 16-18 by hand: -kappa is -4, -2, -5, -5; regions are 1, 3, 2, 7."""
    changes = Changes(DIRECTIONS, "history")
    trials = [trial(kappa=kappa, regions=regions) for kappa, regions in ((4, 1), (2, 3), (5, 2), (5, 7))]
    expected = [0, 2 / 2 + 2 / 2, -3 / 3 - 1 / 2, 0 / 3 + 5 / 6]
    assert [changes(each) for each in trials] == pytest.approx(expected)


def test_as_released_the_range_is_that_of_the_last_ten() -> None:
    changes = Changes({"regions": True}, "last 10")
    rewards = [changes(trial(regions=value)) for value in (100, 0, *range(1, 10), 12)]
    assert rewards[1] == pytest.approx(-100 / (100 + 1e-6))
    assert rewards[-1] == pytest.approx(3 / (12 - 1 + 1e-6))
    assert changes(trial(regions=13)) == pytest.approx(1 / (13 - 2 + 1e-6))


def test_what_lacks_a_number_has_no_reward_and_no_successor() -> None:
    changes = Changes(DIRECTIONS, "history")
    changes(trial(kappa=1, regions=1))
    assert changes(trial(kappa=math.nan, regions=5)) is None
    assert changes(trial(kappa=1)) is None
    assert changes(trial(kappa=1, regions=3)) == pytest.approx(1.0)


def test_equal_numbers_are_no_change() -> None:
    changes = Changes(DIRECTIONS, "history")
    assert [changes(trial(kappa=1, regions=1)) for _ in range(3)] == [0, 0, 0]


def test_a_value_is_its_own_reward_in_its_direction() -> None:
    value = reward_of("value", Objective("kappa", DIRECTIONS), "history", "Reinforce")
    assert [value(trial(kappa=3)), value(trial(kappa=math.inf))] == [-3, None]


@pytest.mark.parametrize(
    ("kind", "expression", "message"),
    [
        ("value", "kappa+regions", r"reward='value'\): expected a single measure, got 'kappa\+regions'"),
        ("change", "(kappa+regions)+kappa", r"expected measures joined by \+"),
        ("change", "vote(kappa,regions)", r"Rewards are sums of numbers"),
    ],
)
def test_objectives_that_are_no_sum_of_numbers_are_refused(kind: str, expression: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        reward_of(kind, Objective(expression, DIRECTIONS), "history", "Reinforce")  # type: ignore[arg-type]
