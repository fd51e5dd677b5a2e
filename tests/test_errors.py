from __future__ import annotations

import pytest

from lnas.errors import LnasError, RunError, StoreError, UsageError, complaint, unknown_name


@pytest.mark.parametrize(
    ("error", "builtin", "exit_status"),
    [(LnasError, Exception, 1), (UsageError, ValueError, 2), (RunError, RuntimeError, 1), (StoreError, RunError, 1)],
)
def test_errors_are_also_the_builtin_of_their_kind(error, builtin, exit_status):
    assert issubclass(error, LnasError)
    assert issubclass(error, builtin)
    assert error.exit_status == exit_status


def test_a_usage_error_is_no_run_error():
    assert not issubclass(UsageError, RunError)


def test_complaint_shows_the_value_as_written():
    assert complaint("f(x='3')", "a number", "3", "Drop the quotes.") == (
        "f(x='3'): expected a number, got '3'. Drop the quotes."
    )


def test_complaint_stays_on_one_line():
    assert "\n" not in complaint("f", "one line", "two\nlines", "Split it.")


def test_complaint_shows_both_ends_of_what_is_long():
    message = complaint(f"f({'x' * 200_000})", "less", "a" + "y" * 200_000 + "z", "Shorten it.")
    assert len(message) < 1000
    assert message.startswith("f(xxx")
    assert "xxx): expected less, got 'ayyy" in message
    assert message.endswith("yyyz'. Shorten it.")


def test_complaint_shows_all_of_what_is_not_long():
    assert repr("y" * 298) in complaint("f", "less", "y" * 298, "Shorten it.")


def test_unknown_name_suggests_the_nearest_and_sorts_the_known():
    assert unknown_name("proxy", "synflw", ["snip", "synflow", "grasp"]) == (
        "unknown proxy 'synflw'. Did you mean 'synflow'? Known: grasp, snip, synflow."
    )


def test_unknown_name_suggests_nothing_where_nothing_is_near():
    assert unknown_name("proxy", "zzz", {"snip": 1, "synflow": 2}) == "unknown proxy 'zzz'. Known: snip, synflow."
