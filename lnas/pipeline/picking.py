"""Which of the ranked candidates are retrained, and what their retraining shows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from lnas.errors import RunError, UsageError, complaint
from lnas.report import RetrainedPick, percent
from lnas.seeds import derive_seed
from lnas.spaces import SearchSpace
from lnas.store import Pick
from lnas.types import Arch

RANKED_CONTROLS = ("lowest", "random")


def parse_controls(controls: Sequence[str], space: SearchSpace) -> dict[str, Arch | None]:
    """Check the controls as given: "lowest", "random", or an architecture in the space's notation.

    Raises:
        UsageError: If one is none of them, or stands there twice.
    """
    if len(set(controls)) != len(controls):
        raise UsageError(complaint(f"controls={list(controls)!r}", "each once", list(controls), "Drop the repetition."))
    parsed: dict[str, Arch | None] = {}
    for control in controls:
        try:
            parsed[control] = None if control in RANKED_CONTROLS else space.parse(control)
        except UsageError as error:
            raise UsageError(f"control {control!r} is neither 'lowest' nor 'random' nor a cell. {error}") from error
    return parsed


def fewest_candidates(controls: Mapping[str, Arch | None]) -> int:
    """Return how many candidates there must be for a winner and the controls that are ranked."""
    return 1 + sum(arch is None for arch in controls.values())


def pick(
    candidates: Sequence[Arch], order: Sequence[int], controls: Mapping[str, Arch | None], seed: int
) -> list[Pick]:
    """Choose the winner and its controls.

    Args:
        candidates: What was ranked.
        order: Their indices from best to worst.
        controls: From `parse_controls`; "random" is drawn uniformly from the candidates that are not the winner and,
            where that is a control too, not the lowest.
        seed: Decides that draw.

    Raises:
        RunError: If there are too few candidates for the controls: the search was over before.
    """
    fewest = fewest_candidates(controls)
    if len(candidates) < fewest:
        call, step = f"a search that was over after {len(candidates)} candidates", "Drop controls, or let it go on."
        raise RunError(complaint(call, f"{fewest}, one for each pick", len(candidates), step))
    reserved = {order[0], order[-1]} if "lowest" in controls else {order[0]}
    rest = [index for index in order if index not in reserved]
    picks = [Pick("winner", candidates[order[0]])]
    for role, arch in controls.items():
        if arch is not None:
            picks.append(Pick(role, arch))
        elif role == "lowest":
            picks.append(Pick(role, candidates[order[-1]]))
        else:
            rng = np.random.default_rng(derive_seed(seed, "random control"))
            picks.append(Pick(role, candidates[int(rng.choice(rest))]))
    return picks


def verdict(picks: Sequence[RetrainedPick], test_images: int) -> str:
    """Say in one sentence whether the winner's retraining beats every control's, and by how much of the noise.

    The standard error is that of the difference between two accuracies on `test_images` images each. It knows the
    choice of the images only, not the spread between trainings with other seeds.
    """
    winner, *controls = picks
    if not any(pick.curves for pick in picks):
        return f"The search found {winner.arch}; nothing was retrained."
    if not winner.test_acc:
        return "The winner's retraining diverged: it has no accuracy."
    diverged = [control.role for control in controls if not control.test_acc]
    controls = [control for control in controls if control.test_acc]
    if diverged:
        return f"{verdict([winner, *controls], test_images)} The retraining of {', '.join(diverged)} diverged."
    if not controls:
        return f"The winner reaches {percent(winner.test_acc)} on {test_images} test images; no control reached one."
    best = max(controls, key=lambda control: _mean(control.test_acc))
    gap = _mean(winner.test_acc) - _mean(best.test_acc)
    error = math.sqrt(sum(_mean(p.test_acc) * (1 - _mean(p.test_acc)) / test_images for p in (winner, best)))
    others = ", ".join(f"{percent(control.test_acc)} ({control.role})" for control in controls)
    outcome = "The winner wins" if gap > 0 else "The winner ties" if gap == 0 else "The winner does not win"
    size = "within" if abs(gap) <= 2 * error else "beyond"
    return (
        f"{outcome}: {percent(winner.test_acc)} against {others} on {test_images} test images. The gap to the best "
        f"control, {100 * gap:+.2f} points, is {size} two standard errors ({200 * error:.2f} points)."
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
