"""Two processes under DDP: what the callbacks measure is the same in both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lnas.training.callbacks import angle_between


@pytest.mark.slow
def test_both_processes_measure_the_same(tmp_path: Path, run_script: Callable[..., None]) -> None:
    script = Path(__file__).with_name("two_processes.py")
    run_script(script, str(tmp_path))
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))

    for run in ("whole", "resumed"):
        assert {name: first[run][name] for name in first[run] if name != "losses"} == {
            name: second[run][name] for name in second[run] if name != "losses"
        }
        assert first[run]["losses"] != second[run]["losses"]
    for name in ("angle", "history", "features", "steps", "after"):
        assert first["resumed"][name] == first["whole"][name]

    whole = first["whole"]
    pairs = zip(whole["losses"], second["whole"]["losses"], strict=True)
    assert whole["steps"] == pytest.approx([(one + other) / 2 for one, other in pairs], rel=1e-6)
    weights = [torch.tensor(each) for each in whole["weights"]]
    assert whole["history"] == [
        [step, pytest.approx(angle_between(weights[0], weights[step]), rel=1e-12)] for step in (2, 4, 6)
    ]
    assert whole["angle"] == whole["history"][-1][1] > 0.1
