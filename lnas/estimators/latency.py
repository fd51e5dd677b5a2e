"""How long a network takes to answer, on this machine."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from lnas.data import ImageData
from lnas.errors import LnasError, UsageError, complaint, unknown_name
from lnas.estimators.base import Estimator
from lnas.estimators.devices import fastest_device
from lnas.estimators.directions import LATENCY
from lnas.estimators.zero_shot_nets import build_measured_net
from lnas.estimators.zero_shot_settings import NetSetting
from lnas.seeds import derive_seed
from lnas.threads import limited_threads
from lnas.types import Arch, Estimate, describe

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Precision = Literal["float32", "bfloat16", "float16"]

_AS_GIVEN = NetSetting()
_MS = 1000
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class LatencyProtocol:
    """Everything that bears on a latency, as far as lnas knows: what else the machine does is not among it.

    Attributes:
        net: What builds the networks.
        num_classes: Outputs.
        batch: Shape of the input.
        dtype: Of weights and input.
        warmup: Passes that are not timed.
        runs: Passes that are.
        device: Name of the accelerator or of the processor.
        threads: Of operations on a CPU.
        torch: Its version.
    """

    net: Any
    num_classes: int
    batch: tuple[int, ...]
    dtype: str
    warmup: int
    runs: int
    device: str
    threads: int
    torch: str


class LatencyEstimator(Estimator):
    """Build the network of an architecture and time its answers: the median, in milliseconds per batch.

    | measure | what | better |
    |---|---|---|
    | `latency` | milliseconds of one forward pass of a batch, the median over the runs | lower |

    The network is in eval mode, no gradient is kept, and the input is standard normal noise of the shape of the data's
    images, which lies on the device. The details hold `quartiles`, the lower and the upper, in milliseconds: far from
    the median they say that the machine was busy. Take latencies in one process, with nothing else beside it.

    Args:
        net: Builds the network of an architecture.
        data: Decides the shape of the images and the number of classes.
        batch_size: Images per pass.
        runs: How many passes are timed, each by itself.
        warmup: How many passes go before, which choose kernels and fill caches.
        device: Where, as PyTorch calls it: "cpu", "cuda:1"; "auto" is this machine's accelerator, or its CPU if there
            is none.
        threads: Of operations on a CPU.
        dtype: Of weights and images.

    Raises:
        UsageError: If an argument is none of these, or there is no such device.
    """

    def __init__(
        self,
        net: Callable[[Arch, int], Any],
        data: ImageData,
        batch_size: int = 32,
        runs: int = 50,
        warmup: int = 10,
        device: str = "auto",
        threads: int = 1,
        dtype: Precision = "float32",
    ) -> None:
        for name, value, least in (
            ("batch_size", batch_size, 1),
            ("runs", runs, 1),
            ("warmup", warmup, 0),
            ("threads", threads, 1),
        ):
            if type(value) is not int or value < least:
                call, step = f"LatencyEstimator({name}={value!r})", f"Example: {name}={least}."
                raise UsageError(complaint(call, f"{name} >= {least}", value, step))
        if dtype not in get_args(Precision):
            raise UsageError(f"LatencyEstimator(dtype={dtype!r}): {unknown_name('dtype', dtype, get_args(Precision))}")
        self._net = net
        self._data = data
        self._batch_size = batch_size
        self._runs = runs
        self._warmup = warmup
        self._device = _found(device)
        self._threads = threads
        self._dtype = dtype

    @property
    def measures(self) -> Mapping[str, bool]:
        return {LATENCY: False}

    @property
    def is_repeatable(self) -> bool:
        return False

    @property
    def protocol(self) -> LatencyProtocol:
        import torch

        return LatencyProtocol(
            describe(self._net),
            self._data.num_classes,
            self._shape,
            self._dtype,
            self._warmup,
            self._runs,
            _name_of(self._device),
            self._threads,
            torch.__version__,
        )

    @property
    def _shape(self) -> tuple[int, ...]:
        return (self._batch_size, *self._data.splits["train"].images.shape[1:])

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        from lnas.nets import isolated_randomness

        started = time.perf_counter()
        own_seed = derive_seed(seed, candidate, LATENCY)
        with isolated_randomness(own_seed), limited_threads(self._threads):
            try:
                net = build_measured_net(self._net, _AS_GIVEN, candidate, self._data.num_classes, own_seed)
                passes = self._passes(net)
            except LnasError:
                raise
            except Exception as error:  # whatever a candidate's network does, the search goes on
                return {LATENCY: Estimate.failure(error, time.perf_counter() - started)}
        detail = {"quartiles": [_MS * quartile for quartile in _quartiles(passes)]}
        value = _MS * statistics.median(passes)
        return {LATENCY: Estimate.of(value, time.perf_counter() - started, detail)}

    def _passes(self, net: nn.Module) -> list[float]:
        """Return the seconds of each timed pass."""
        import torch

        dtype = getattr(torch, self._dtype)
        images = torch.randn(self._shape).to(self._device, dtype)
        net = net.to(self._device, dtype).eval()
        with torch.inference_mode():
            for _ in range(self._warmup):
                net(images)
            return [_seconds(net, images) for _ in range(self._runs)]


def _seconds(net: nn.Module, images: Tensor) -> float:
    _wait(images.device)
    started = time.perf_counter()
    net(images)
    _wait(images.device)
    return time.perf_counter() - started


def _wait(device: torch.device) -> None:
    """Let an accelerator finish what it was given: it is not waited for otherwise."""
    import torch

    if device.type != "cpu":
        torch.accelerator.synchronize(device)


def _quartiles(seconds: list[float]) -> tuple[float, float]:
    lower, _, upper = statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return lower, upper


def _found(device: str) -> torch.device:
    """Return a device that is there.

    Raises:
        UsageError: If there is none of that name.
    """
    import torch

    if device == "auto":
        return fastest_device()
    try:
        found = torch.device(device)
        torch.empty(0, device=found).cpu()
    except Exception as error:  # each backend has its own kinds
        reason = str(error).splitlines()[0]
        step = 'Example: device="auto".'
        call = f"LatencyEstimator(device={device!r})"
        raise UsageError(complaint(call, "a device of this machine", reason, step)) from error
    return found


def _name_of(device: torch.device) -> str:
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type}, {_processor()}"


def _processor() -> str:
    """Return the processor's name: Linux tells it to whoever reads, `platform` elsewhere."""
    lines = _CPU_INFO.read_text().splitlines() if _CPU_INFO.is_file() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
