from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest
import torch
from torch import nn

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import LatencyEstimator, latency
from lnas.nets import NetBuilder
from lnas.spaces import NatsTopologySpace
from lnas.store import protocol_key
from lnas.types import Arch, Estimate

DATA = DigitsData()
ARCH = NatsTopologySpace().parse("|nor_conv_3x3~0|+|nor_conv_3x3~0|skip_connect~1|+|none~0|none~1|skip_connect~2|")
FEW: dict[str, Any] = {"batch_size": 2, "runs": 3, "warmup": 1, "device": "cpu"}


class Watched(nn.Module):
    """Keeps how it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Linear(3, 10)
        self.calls: list[dict[str, Any]] = []

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls.append(
            {
                "shape": tuple(images.shape),
                "dtype": images.dtype,
                "training": self.training,
                "inference": torch.is_inference_mode_enabled(),
                "threads": torch.get_num_threads(),
            }
        )
        return self.classifier(images.mean((2, 3)))


def watched(**options: Any) -> tuple[Watched, Estimate]:
    net = Watched()
    estimate = LatencyEstimator(lambda arch, classes: net, DATA, **{**FEW, **options}).estimate(ARCH, seed=0)
    return net, estimate["latency"]


def test_every_pass_is_of_the_batch_that_was_asked_for_and_none_keeps_gradients() -> None:
    before = torch.get_num_threads()
    net, found = watched(batch_size=5, runs=4, warmup=2, dtype="bfloat16", threads=2)
    assert found.status == "ok"
    call = {"shape": (5, 3, 8, 8), "dtype": torch.bfloat16, "training": False, "inference": True, "threads": 2}
    assert net.calls == [call] * 6
    assert torch.get_num_threads() == before


def test_the_value_is_the_median_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five passes of 4, 1, 9, 2 and 3 seconds by a made-up clock: median 3, quartiles 2 and 4."""
    pairs = [reading for length in (4.0, 1.0, 9.0, 2.0, 3.0) for reading in (0.5, length)]
    readings = iter([0.0, *accumulate(pairs), 100.0])
    monkeypatch.setattr(latency.time, "perf_counter", lambda: next(readings))
    _, found = watched(runs=5, warmup=3)
    assert (found.value, found.seconds) == (3000.0, 100.0)
    assert found.detail == {"quartiles": [2000.0, 4000.0]}


def test_a_single_run_will_do() -> None:
    _, found = watched(runs=1, warmup=0)
    assert found.detail["quartiles"] == [found.value] * 2


def test_a_deeper_network_takes_longer() -> None:
    small, large = (
        LatencyEstimator(NetBuilder(channels=4, cells=cells), DATA, **FEW).estimate(ARCH, seed=0)["latency"].value
        for cells in (1, 8)
    )
    assert 0 < small < large


def test_a_network_that_raises_is_a_failure() -> None:
    def broken(arch: Arch, classes: int) -> nn.Module:
        raise ValueError("too small")

    found = LatencyEstimator(broken, DATA, **FEW).estimate(ARCH, seed=0)["latency"]
    assert (found.status, found.detail["error"]) == ("failed", "ValueError: too small")
    crashes = nn.Sequential(nn.Conv2d(5, 2, 3))
    found = LatencyEstimator(lambda arch, classes: crashes, DATA, **FEW).estimate(ARCH, seed=0)["latency"]
    assert found.status == "failed"


def test_an_architecture_of_no_known_space_is_refused() -> None:
    with pytest.raises(UsageError):
        LatencyEstimator(NetBuilder(), DATA, **FEW).estimate(Arch("unheard_of", (0,)), seed=0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size >= 1, got 0"),
        ({"runs": 2.5}, r"runs >= 1, got 2\.5"),
        ({"warmup": -1}, "warmup >= 0, got -1"),
        ({"threads": 0}, "threads >= 1, got 0"),
        ({"dtype": "float8"}, "unknown dtype 'float8'"),
        ({"device": "abacus"}, r"device='abacus'\): expected a device of this machine"),
        ({"device": "meta"}, r"device='meta'\): expected a device of this machine"),
    ],
)
def test_what_cannot_be_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        LatencyEstimator(NetBuilder(), DATA, **{**FEW, **options})


@pytest.mark.parametrize(
    "other",
    [{"batch_size": 4}, {"runs": 4}, {"warmup": 2}, {"threads": 2}, {"dtype": "bfloat16"}],
    ids=lambda option: next(iter(option)),
)
def test_every_setting_is_in_the_protocol(other: dict[str, Any]) -> None:
    keys = [
        protocol_key(LatencyEstimator(NetBuilder(), DATA, **options).protocol) for options in (FEW, {**FEW, **other})
    ]
    assert keys[0] != keys[1]


def test_the_protocol_names_the_device_and_the_batch() -> None:
    protocol = LatencyEstimator(NetBuilder(), DATA, **FEW).protocol
    assert protocol.batch == (2, 3, 8, 8)
    assert protocol.device.startswith("cpu, ")
    assert len(protocol.device) > len("cpu, ")


@pytest.mark.gpu
def test_an_accelerator_is_waited_for() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    estimator = LatencyEstimator(NetBuilder(), DATA, batch_size=64, runs=5, warmup=3)
    assert estimator.estimate(ARCH, seed=0)["latency"].value > 0
    assert estimator.protocol.device == torch.cuda.get_device_name()
