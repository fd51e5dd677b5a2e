"""Which trained network is meant: that of a folder, or what a run came to."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from lnas.errors import UsageError, complaint
from lnas.nets.trained_file import MODEL, TrainedNet, read_trained
from lnas.spaces import SPACES, SearchSpace, read_arch
from lnas.store import Store
from lnas.types import Arch

_WINNER = "winner"
_STORE = "store.sqlite"
_RETRAINED = "retrain"
_TOLD = ("search", "rank", "candidates", "found", "seed")


def find_trained(source: str, arch: str | None = None, space: SearchSpace | None = None) -> TrainedNet:
    """Return the trained network that a folder holds.

    Args:
        source: A folder of one trained network, or the output folder of `lnas run` or `lnas retrain`: of a run its
            winner, of several trainings of an architecture that with the lowest seed, so that none is chosen by what it
            reached on the test images.
        arch: Which architecture, where there are several; SPACE:GENES, or in the notation of the space.
        space: Where that is from, if not from one of ours.

    Raises:
        UsageError: If there is none, or several could be meant.
    """
    folder = Path(source)
    wanted = None if arch is None else read_arch(arch, space)[1]
    if (folder / MODEL).is_file():
        return read_trained(folder, wanted)
    there = sorted(
        (read_trained(file.parent) for file in folder.glob(f"{_RETRAINED}/*/{MODEL}")),
        key=lambda trained: (trained.arch, trained.seed),
    )
    call = f"lnas export {source!r}"
    if not there:
        step = "Name a folder of weights, or the output folder of `lnas retrain` or `lnas run`."
        raise UsageError(complaint(call, f"a folder with {MODEL}, or {_RETRAINED}/*/{MODEL}", "none there", step))
    origins = _origins(folder)
    winners = {each for each, origin in origins.items() if origin["role"] == _WINNER}
    asked = {wanted} if wanted else winners
    meant = [trained for trained in there if not asked or trained.arch in asked]
    if len({trained.arch for trained in meant}) != 1:
        expected = f"weights of {', '.join(map(str, sorted(asked)))}" if asked else "one architecture"
        listed = "; ".join(dict.fromkeys(trained.notation for trained in there))
        raise UsageError(complaint(call, expected, listed, "Choose one by --arch."))
    first = meant[0]
    return replace(first, origin={**first.origin, **origins.get(first.arch, {})})


def space_of(arch: Arch, given: SearchSpace | None) -> SearchSpace | None:
    """Return the space of an architecture: the one given, else ours of that name, else None."""
    if given is not None:
        given.validate(arch)
        return given
    return SPACES[arch.space]() if arch.space in SPACES else None


def _origins(folder: Path) -> dict[Arch, Mapping[str, Any]]:
    """Say how each pick of a folder's runs was found; the earliest run found it."""
    if not (folder / _STORE).is_file():
        return {}
    origins: dict[Arch, Mapping[str, Any]] = {}
    with closing(Store(folder / _STORE)) as store:
        for name, record in store.runs().items():
            told = {key: record.settings[key] for key in _TOLD if record.settings.get(key) is not None}
            for pick in store.picks(name):
                origins.setdefault(pick.arch, {"command": f"lnas {name}", "role": pick.role, **told})
    return origins
