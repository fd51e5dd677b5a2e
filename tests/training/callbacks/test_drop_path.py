from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from lnas.training.callbacks.drop_path import DropPathSchedule


def test_drop_path_rises_with_the_epochs_done() -> None:
    told: list[float] = []
    module: Any = SimpleNamespace(net=SimpleNamespace(set_drop_path=told.append))
    for epoch in range(4):
        trainer: Any = SimpleNamespace(current_epoch=epoch, max_epochs=4)
        DropPathSchedule(0.2).on_train_epoch_start(trainer, module)
    assert told == pytest.approx([0, 0.05, 0.1, 0.15])
