from __future__ import annotations

import pickle

import pytest

from lnas.errors import TERMINATED, RunError, StoreError, UsageError
from lnas.execution.base import attempt, plain_error


class ManyArgumentsError(Exception):
    """As of many libraries: pickle writes it and cannot read it again."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{reason} ({code})")


class MuteError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class OwnUsageError(UsageError):
    def __init__(self, name: str, number: int) -> None:
        super().__init__(f"{name} is not {number}")


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (ZeroDivisionError("by zero"), RunError, "ZeroDivisionError: by zero"),
        (ManyArgumentsError(7, "no room"), RunError, f"{__name__}.ManyArgumentsError: no room (7)"),
        (SystemExit(3), RunError, "SystemExit: 3"),
        (UsageError("f(1): expected 2, got 1."), UsageError, "f(1): expected 2, got 1."),
        (OwnUsageError("one", 2), UsageError, "one is not 2"),
        (StoreError("the disk is full"), RunError, "the disk is full"),
    ],
)
def test_errors_become_plain_ones_with_their_text(error: BaseException, kind: type, text: str) -> None:
    plain = plain_error(error)
    again = pickle.loads(pickle.dumps(plain))
    assert (type(plain), str(plain)) == (type(again), str(again)) == (kind, text)


def test_an_error_without_a_text_is_told_by_its_name() -> None:
    assert "MuteError" in str(plain_error(MuteError()))


def test_a_process_that_is_asked_to_end_does_not_take_it_for_a_result() -> None:
    def asked_to_end(task: int) -> None:
        raise SystemExit(TERMINATED)

    with pytest.raises(SystemExit):
        attempt(asked_to_end, 0)


def test_the_traceback_survives_the_way_as_a_note() -> None:
    error = attempt(int, "x").error
    (note,) = pickle.loads(pickle.dumps(error)).__notes__
    assert note.startswith("Traceback")
    assert note.endswith("ValueError: invalid literal for int() with base 10: 'x'\n")


def test_a_result_of_none_is_no_error() -> None:
    done = attempt(print, "")
    assert (done.task, done.result, done.error) == ("", None, None)


def test_an_interrupt_is_no_error_of_the_task() -> None:
    def interrupted(task: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted, 1)
