from __future__ import annotations

import pytest

from lnas.errors import RunError, UsageError
from lnas.pipeline.picking import parse_controls, pick, verdict
from lnas.report import RetrainedPick
from lnas.search import RandomSearch
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

SPACE = NatsTopologySpace()
ARCHS = RandomSearch(SPACE).ask(6)
ORDER = [3, 1, 0, 5, 4, 2]


def picked(role: str, *accuracies: float) -> RetrainedPick:
    return RetrainedPick(role, f"|{role}|", "<svg/>", 1, accuracies, [{"val_acc": [(1, 0.5)]}])


def test_winner_is_first_lowest_is_last_random_is_between() -> None:
    for seed in range(20):
        picks = pick(ARCHS, ORDER, parse_controls(["lowest", "random"], SPACE), seed)
        assert [p.role for p in picks] == ["winner", "lowest", "random"]
        assert picks[0].arch == ARCHS[3]
        assert picks[1].arch == ARCHS[2]
        assert picks[2].arch in {ARCHS[i] for i in (1, 0, 5, 4)}


@pytest.mark.parametrize(("roles", "possible"), [(["random"], (1, 0, 5, 4, 2)), (["random", "lowest"], (1, 0, 5, 4))])
def test_random_control_depends_on_the_seed_and_reaches_all_others(roles: list[str], possible: tuple[int, ...]) -> None:
    controls = parse_controls(roles, SPACE)
    drawn = [pick(ARCHS, ORDER, controls, seed)[1].arch for seed in range(60)]
    assert drawn == [pick(ARCHS, ORDER, controls, seed)[1].arch for seed in range(60)]
    assert set(drawn) == {ARCHS[i] for i in possible}


def test_two_candidates_are_enough_for_a_random_control() -> None:
    assert pick(ARCHS[:2], [1, 0], parse_controls(["random"], SPACE), 0)[1].arch == ARCHS[0]


def test_a_cell_of_the_users_own_is_a_control() -> None:
    text = SPACE.format(ARCHS[5])
    assert pick(ARCHS, ORDER, parse_controls([text], SPACE), 0)[1] == (text, ARCHS[5])


def test_a_control_that_is_neither_is_refused() -> None:
    with pytest.raises(UsageError, match=r"control 'lowst' is neither 'lowest' nor 'random' nor a cell"):
        parse_controls(["lowst"], SPACE)


def test_a_control_twice_is_refused() -> None:
    with pytest.raises(UsageError, match=r"each once, got \['random', 'random'\]"):
        parse_controls(["random", "random"], SPACE)


@pytest.mark.parametrize(
    ("winner", "control", "words"),
    [
        ((0.90, 0.92), (0.80,), ["The winner wins", "+11.00 points", "beyond"]),
        ((0.90,), (0.899,), ["The winner wins", "+0.10 points", "within"]),
        ((0.90,), (0.90,), ["The winner ties"]),
        ((0.80,), (0.90,), ["The winner does not win", "-10.00 points", "beyond"]),
    ],
)
def test_verdict_says_who_won_and_whether_it_is_noise(
    winner: tuple[float, ...], control: tuple[float, ...], words: list[str]
) -> None:
    said = verdict([picked("winner", *winner), picked("random", *control), picked("lowest", 0.1)], 600)
    for word in words:
        assert word in said
    assert "600 test images" in said


def test_two_standard_errors_by_hand() -> None:
    # p = 0.9 and 0.8 on 100 images: sqrt(0.09 / 100 + 0.16 / 100) = 0.05
    assert "two standard errors (10.00 points)" in verdict([picked("winner", 0.9), picked("random", 0.8)], 100)


def test_verdict_without_retraining_claims_nothing() -> None:
    said = verdict([RetrainedPick("winner", "|cell|", "<svg/>", 1)], 600)
    assert "nothing was retrained" in said
    assert "wins" not in said


def test_a_training_that_diverged_is_no_accuracy() -> None:
    said = verdict([picked("winner", 0.9), picked("lowest"), picked("random", 0.8)], 600)
    assert "The winner wins: 90.00 % against 80.00 % (random)" in said
    assert said.endswith("The retraining of lowest diverged.")
    assert verdict([picked("winner"), picked("lowest", 0.9)], 600).startswith("The winner's retraining diverged")


def test_a_search_that_was_over_too_soon_is_named() -> None:
    few = [Arch("tiny", (0,)), Arch("tiny", (1,))]
    with pytest.raises(RunError, match=r"over after 2 candidates: expected 3, one for each pick, got 2\."):
        pick(few, [0, 1], {"lowest": None, "random": None}, 0)
    assert len(pick(few, [0, 1], {"lowest": None}, 0)) == 2
