"""Where searches begin: anew, or as others did until they part from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lnas.errors import UsageError, complaint
from lnas.pipeline.search.course import Branch
from lnas.store import Store

_RUN = "search"
_FILE = "store.sqlite"


@dataclass(frozen=True)
class Origin:
    """Where searches begin.

    Attributes:
        seed: The first of their seeds.
        folder: Of the searches that they repeat at first, if any.
        at: For how many evaluations.
        branch_seed: The first of the seeds of their draws from there on.
    """

    seed: int
    folder: Path | None = None
    at: int = 0
    branch_seed: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """What decides it, JSON-able."""
        return {"seed": self.seed} | ({"at": self.at, "branch_seed": self.branch_seed} if self.folder else {})

    def branch(self, repeat: int) -> Branch | None:
        """Return where the repeat-th search parts from its parent."""
        return Branch(self.at, self.branch_seed + repeat) if self.folder else None

    @contextmanager
    def stored(self) -> Iterator[Sequence[Store]]:
        """Open the store of the searches that are repeated, where there are any."""
        if self.folder is None:
            yield []
            return
        store = Store(self.folder / _FILE)
        try:
            yield [store]
        finally:
            store.close()


def origin_of(parent: str | None, at: int | None, seed: int) -> Origin:
    """Return where searches begin.

    Raises:
        UsageError: If only one of parent and at is given, at is below 1, or the folder holds no searches.
    """
    if (parent is None) != (at is None):
        got = "no --at" if at is None else "no --from"
        step = "Example: --from results/search --at 50 --seed 1."
        raise UsageError(complaint("a branch of searches", "both --from and --at", got, step))
    if parent is None or at is None:
        return Origin(seed)
    if at < 1:
        raise UsageError(complaint(f"at={at}", "at >= 1", at, "Without --from searches begin anew."))
    folder = Path(parent)
    if not (folder / _FILE).is_file():
        step = "Name the output folder of a search."
        raise UsageError(complaint(f"from={parent!r}", "a folder with searches", "none there", step))
    store = Store(folder / _FILE)
    try:
        record = store.runs().get(_RUN)
    finally:
        store.close()
    if record is None or "branch_seed" in record.settings:
        got = "none there" if record is None else "searches that branched themselves"
        raise UsageError(complaint(f"from={parent!r}", "a folder with searches", got, "Name another folder."))
    return Origin(record.settings["seed"], folder, at, seed)
