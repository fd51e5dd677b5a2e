"""The errors that lnas raises on purpose.

Each message reads `{call as written}: expected {constraint}, got {value!r}. {next step}`, so that one line is enough to
act on. The command line prints that line and ends with the error's `exit_status`.
"""

from __future__ import annotations

import difflib
import signal
from collections.abc import Iterable

TERMINATED = 128 + signal.SIGTERM
"""The exit status of a process that was asked to end."""

_MANY = 30
_LONG = 300


class LnasError(Exception):
    """Root of all errors raised on purpose."""

    exit_status = 1


class UsageError(LnasError, ValueError):
    """The call cannot be served as it was written: a wrong name, number, path or combination."""

    exit_status = 2


class RunError(LnasError, RuntimeError):
    """The call was right, and the machine or its files could not serve it."""


class StoreError(RunError):
    """The store cannot be read or written."""


def complaint(call: str, expected: str, got: object, next_step: str) -> str:
    """Word an error the one way all of them are worded; of a very long call or value, only both ends.

    Example:
        >>> complaint("RandomSearch.ask(n=-1)", "n >= 0", -1, "Ask for fewer.")
        'RandomSearch.ask(n=-1): expected n >= 0, got -1. Ask for fewer.'
    """
    return f"{_ends(call)}: expected {expected}, got {_ends(repr(got))}. {next_step}"


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Word the error for a misspelt name: the nearest known one, then all of them unless they are many.

    Example:
        >>> unknown_name("measure", "angel", ["angle", "loss"])
        "unknown measure 'angel'. Did you mean 'angle'? Known: angle, loss."
    """
    names = sorted(known)
    by_case = {known_name.casefold(): known_name for known_name in names}
    near = difflib.get_close_matches(name.casefold(), by_case, n=1)
    hint = f" Did you mean {by_case[near[0]]!r}?" if near else ""
    listed = ", ".join(names) if len(names) <= _MANY else f"{len(names)} others"
    return f"unknown {kind} {name!r}.{hint} Known: {listed}."


def _ends(text: str) -> str:
    return text if len(text) <= _LONG else f"{text[: _LONG // 2]} ... {text[-_LONG // 2 :]}"
