"""Going on with what an earlier process began, with the same settings only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lnas.errors import UsageError, complaint
from lnas.pipeline.display import Display


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
