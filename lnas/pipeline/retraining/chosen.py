"""Which architectures are trained: those that are named, or what a folder's run came to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from lnas.errors import UsageError, complaint
from lnas.nets.trained_file import TrainedNet
from lnas.spaces import SPACES, SearchSpace, read_arch
from lnas.store import Pick, Store

_WINNER = "winner"
_SHOWN = 5
_OWN = "retrain"


def chosen(
    arch: str | Sequence[str] | None, found: str | None, space: SearchSpace | None, start: TrainedNet | None = None
) -> tuple[SearchSpace, list[Pick]]:
    """Return the architectures, each with its role, and their space.

    Args:
        arch: One or several, each as SPACE:GENES or in the notation of the space.
        found: Output folder of `lnas run`, `lnas search` or `lnas supernet`: what it came to, of a run its winner.
        space: Where they are from; if not given, what their notation says, or the folder.
        start: The trained network that training begins with: its architecture, if neither of the two is given.

    Raises:
        UsageError: If not one of the two is given, START is of another architecture, something is no architecture of
            the space or stands there twice, or the folder holds no run that came to a single one.
    """
    if start is not None and arch is None and found is None:
        arch = str(start.arch)
    space, picks = _named(arch, found, space)
    for pick in picks:
        if start is not None and pick.arch != start.arch:
            call, step = f"weights of {start.arch}", "Name weights of it, or leave them out."
            raise UsageError(complaint(call, f"those of {pick.arch}", str(start.arch), step))
    return space, picks


def _named(
    arch: str | Sequence[str] | None, found: str | None, space: SearchSpace | None
) -> tuple[SearchSpace, list[Pick]]:
    if (arch is None) == (found is None):
        got = "neither" if arch is None else "both"
        step = "Example: --arch '|skip_connect~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|'."
        raise UsageError(complaint("lnas retrain", "either --arch or --found", got, step))
    if found is not None:
        pick = _found_in(Path(found))
        space = space or _own(pick, found)
        space.validate(pick.arch)
        return space, [pick]
    assert arch is not None
    texts = [arch] if isinstance(arch, str) else list(arch)
    for text in texts[:1]:
        space, _ = read_arch(text, space)
    picks = [Pick(f"{_OWN}-{number}", read_arch(text, space)[1]) for number, text in enumerate(texts, start=1)]
    twice = len(picks) - len({pick.arch for pick in picks})
    if not picks or twice:
        got = f"{twice} again" if twice else "none"
        raise UsageError(complaint("--arch", "at least one architecture, each once", got, "Drop the repetition."))
    assert space is not None
    return space, picks


def _found_in(folder: Path) -> Pick:
    call = f"found={str(folder)!r}"
    if not (folder / "store.sqlite").is_file():
        step = "Name the output folder of `lnas run`, `lnas search` or `lnas supernet`."
        raise UsageError(complaint(call, "a folder with a store", "none there", step))
    with closing(Store(folder / "store.sqlite")) as store:
        picks = [pick for run in store.runs() if run != _OWN for pick in store.picks(run)]
    winners = [pick for pick in picks if pick.role == _WINNER]
    answers = {pick.arch: pick for pick in reversed(winners or picks)}
    if len(answers) == 1:
        return next(iter(answers.values()))
    listed = "; ".join(f"{arch} ({pick.role})" for arch, pick in list(answers.items())[:_SHOWN])
    step = "Name one by --arch." if answers else "Let it come to its end."
    raise UsageError(complaint(call, "one architecture that was found", listed or "none", step))


def _own(pick: Pick, found: str) -> SearchSpace:
    if pick.arch.space not in SPACES:
        call, step = f"found={found!r}", f"Name the space {pick.arch.space!r} by --space."
        raise UsageError(complaint(call, "a space of lnas, or --space", pick.arch.space, step))
    return SPACES[pick.arch.space]()
