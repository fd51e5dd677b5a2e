from __future__ import annotations

import pytest

from lnas.pipeline.display import Display


def test_without_a_terminal_about_ten_lines_tell_the_progress(capsys: pytest.CaptureFixture[str]) -> None:
    with Display().bar("candidates", total=50) as advance:
        for _ in range(50):
            advance()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[0].startswith("candidates: 5/50, ")
    assert lines[-1].startswith("candidates: 50/50, ")


def test_what_was_done_before_is_counted_but_not_timed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    with Display().bar("candidates", total=10, done=8) as advance:
        advance()
    assert capsys.readouterr().out == "candidates: 9/10, 10 s, 0.1 a second, about 10 s left\n"


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display(quiet=True)
    display.say("text")
    with display.bar("candidates", total=1) as advance:
        advance()
    assert capsys.readouterr().out == ""


def test_brackets_in_text_are_not_markup(capsys: pytest.CaptureFixture[str]) -> None:
    Display().say("controls=[lowest] [/bold]")
    assert capsys.readouterr().out == "controls=[lowest] [/bold]\n"
