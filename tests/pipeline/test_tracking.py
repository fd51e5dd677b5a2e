"""Tracking is a copy: wherever it fails, the run goes on, and says so once."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
from lightning.pytorch.loggers import CSVLogger

from lnas.pipeline import tracking
from lnas.pipeline.tracking import Tracker, wandb_logger

KEY = "0" * 40


@pytest.fixture(autouse=True)
def fresh_wandb(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No environment of the developer's, a server that is not there, and nothing left running."""
    for name in ("WANDB_MODE", "WANDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(tracking, "_SECONDS_TO_REACH_SERVER", 1)
    wandb.teardown()
    yield
    wandb.teardown()


@pytest.mark.parametrize(("key", "reason"), [(KEY, ""), ("short", "invalid")], ids=["no server", "bad key"])
def test_a_wrong_key_or_an_absent_server_means_offline_said_once(
    key: str, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", key)
    said: list[str] = []
    logger = wandb_logger("auto", "project", "name", tmp_path, said.append)
    assert len(said) == 1
    assert said[0].startswith("W&B is offline for this run: ")
    assert reason in said[0]
    where = Tracker(logger, said.append).finish()
    assert where.startswith(f"wandb sync {tmp_path}/wandb/offline-run-")
    assert len(said) == 1


def test_offline_is_offline_without_a_word(tmp_path: Path) -> None:
    said: list[str] = []
    tracker = Tracker(wandb_logger("offline", "project", "name", tmp_path, said.append), said.append)
    tracker.group("candidates")
    tracker.numbers({"candidates/angle": 0.5}, step=0)
    assert Path(tracker.finish().removeprefix("wandb sync ")).is_dir()
    assert said == []


def test_off_opens_nothing(tmp_path: Path) -> None:
    assert wandb_logger("off", "project", "name", tmp_path, print) is None
    assert list(tmp_path.iterdir()) == []


def test_the_environment_can_disable_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert wandb_logger("auto", "project", "name", tmp_path, print) is None


def test_any_lightning_logger_gets_the_numbers(tmp_path: Path) -> None:
    tracker = Tracker(CSVLogger(tmp_path, name="run", version=0), print)
    tracker.settings({"rank": "angle"})
    tracker.group("candidates")
    tracker.numbers({"candidates/angle": 0.5}, step=3)
    tracker.table("ranking", ["position"], [[1]])
    assert tracker.finish() == ""
    with (tmp_path / "run" / "version_0" / "metrics.csv").open() as file:
        assert list(csv.DictReader(file)) == [{"candidates/angle": "0.5", "step": "3"}]


def test_a_logger_that_raises_is_dropped_and_named_once() -> None:
    class Broken(CSVLogger):
        def log_metrics(self, metrics: Any, step: int | None = None) -> None:
            raise OSError("No space left on device")

    said: list[str] = []
    tracker = Tracker(Broken("."), said.append)
    for step in range(3):
        tracker.numbers({"candidates/angle": 0.5}, step)
    assert tracker.finish() == ""
    assert said == ["tracking stopped: OSError: No space left on device. The store has every number."]
