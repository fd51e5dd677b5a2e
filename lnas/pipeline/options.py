"""Limits of the options that several commands share."""

from __future__ import annotations

from lnas.errors import UsageError, complaint

_SEEDS = 1 << 31


def check_at_least(**options: tuple[int | None, int]) -> None:
    """Raise `UsageError` for the first number that is given and below its least: option -> (number, least)."""
    for option, (number, least) in options.items():
        if number is not None and number < least:
            raise UsageError(complaint(f"{option}={number}", f"{option} >= {least}", number, "Change it."))


def check_seed(seed: int) -> None:
    """Raise `UsageError` unless 0 <= seed < 2**31, which every generator takes."""
    check_at_least(seed=(seed, 0))
    if seed >= _SEEDS:
        raise UsageError(complaint(f"seed={seed}", "seed < 2**31", seed, "Choose a smaller one."))


def check_output(output: str) -> None:
    """Raise `UsageError` unless a folder is named."""
    if not output:
        raise UsageError(complaint("output=''", "a folder", output, "Name one with --output."))
