"""From the run that finds a cell to the one that trains it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wandb
from lightning.pytorch.loggers import WandbLogger

from lnas.pipeline.lineage import track_found, track_origin, track_trained
from lnas.pipeline.tracking import Tracker
from lnas.spaces import NatsTopologySpace

SPACE = NatsTopologySpace()
ARCH = SPACE.parse("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")


class Run:
    """What of a W&B run artifacts are told to."""

    def __init__(self, offline: bool) -> None:
        self.offline = offline
        self.logged: list[wandb.Artifact] = []
        self.used: list[wandb.Artifact] = []
        self.log_artifact = self.logged.append
        self.use_artifact = self.used.append


def tracker_of(run: Run, monkeypatch: pytest.MonkeyPatch) -> Tracker:
    def refuse(message: str) -> None:
        raise AssertionError(message)

    monkeypatch.setattr("lnas.pipeline.tracking._is_wandb", lambda logger: True)
    logger: Any = type("Logger", (WandbLogger,), {"__init__": lambda self: None, "experiment": run})()
    return Tracker(logger, refuse)


def test_what_was_found_and_what_is_trained_are_one_artifact(monkeypatch: pytest.MonkeyPatch) -> None:
    search, training = Run(offline=False), Run(offline=False)
    track_found(tracker_of(search, monkeypatch), SPACE, ARCH)
    track_origin(tracker_of(training, monkeypatch), SPACE, ARCH)
    (found,), (origin,) = search.logged, training.used
    assert (found.name, found.type, found.digest) == (origin.name, origin.type, origin.digest)
    assert set(found.manifest.entries) == {"cell.json", "cell.svg"}


def test_offline_notes_no_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(offline=True)
    track_origin(tracker_of(run, monkeypatch), SPACE, ARCH)
    assert run.used == []


def test_a_trained_network_is_logged_with_the_files_that_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "weights.safetensors").write_bytes(b"weights")
    run = Run(offline=False)
    track_trained(tracker_of(run, monkeypatch), ARCH, tmp_path, {"test_acc": 0.9})
    (net,) = run.logged
    assert set(net.manifest.entries) == {"weights.safetensors"}
    assert net.metadata == {"arch": str(ARCH), "test_acc": 0.9}
