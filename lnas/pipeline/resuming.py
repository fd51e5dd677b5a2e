"""Going on with what an earlier process began, with the same settings only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from lnas.errors import UsageError, complaint
from lnas.pipeline.display import Display
from lnas.store import RunRecord, Store, exclusive, sweep_partial_files, write_whole

_STORE = "store.sqlite"


@contextmanager
def begun(
    folder: Path, run: str, settings: Mapping[str, Any], here: Mapping[str, Any], config: str | None
) -> Iterator[tuple[Store, RunRecord]]:
    """Open an output folder for this process alone, and begin a run in its store or go on with it.

    Args:
        folder: Holds store.sqlite; made if absent.
        run: The run's name in the store.
        settings: What decides the numbers.
        here: Versions and machine, kept of the first start only.
        config: Text kept as config.yaml, where there is one.

    Returns:
        The store, closed in the end, and the run as it was registered first.

    Raises:
        UsageError: If the folder holds a run with other settings.
        RunError: If it cannot be written, or another process works in it.
    """
    with exclusive(folder), closing(Store(folder / _STORE)) as store:
        sweep_partial_files(folder)
        record = store.begin_run(run, settings, here)
        require_same_settings(folder, record.settings, settings)
        if config is not None:
            write_whole(folder / "config.yaml", config.encode())
        yield store, record


@contextmanager
def held(folder: Path, config: str | None) -> Iterator[None]:
    """Open an output folder for a command without a store, for this process alone.

    Args:
        folder: Made if absent.
        config: Text kept as config.yaml, where there is one.

    Raises:
        UsageError: If the folder has a store: it is a run's, whose config and pages would be written over.
        RunError: If it cannot be written, or another process works in it.
    """
    with exclusive(folder):
        if (folder / _STORE).exists():
            step = "Name another folder with --output."
            raise UsageError(complaint(f"output={str(folder)!r}", "a folder of its own", f"a {_STORE} there", step))
        sweep_partial_files(folder)
        if config is not None:
            write_whole(folder / "config.yaml", config.encode())
        yield


def mention_changes(begun: Mapping[str, Any], now: Mapping[str, Any], display: Display) -> None:
    """Say where a run goes on with other versions or threads, which may move the last digits."""
    changes = [f"{key} was {begun.get(key)}, is {now[key]}" for key in now if begun.get(key) != now[key]]
    if changes:
        display.say(f"This run was begun elsewhere; new numbers may differ in their last digits: {'; '.join(changes)}")


def require_same_settings(folder: Path, stored: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise `UsageError` where a folder holds what was begun with other settings."""
    before, now = dict(_leaves(stored)), dict(_leaves(asked))
    different = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    if different:
        changes = "; ".join(f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in different)
        raise UsageError(
            complaint(
                f"output folder {str(folder)!r}",
                "a run with the same settings",
                changes,
                "Name another folder with --output.",
            )
        )


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the plain values inside nested settings, each with its dotted path."""
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        yield path, value
        return
    for key, item in items:
        yield from _leaves(item, f"{path}.{key}" if path else str(key))
