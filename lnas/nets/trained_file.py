"""A trained network in a folder: weights, and all that is needed to rebuild, feed and judge it.

Imports torch only when a network is built.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from lnas.errors import UsageError, complaint
from lnas.nets.builder import NetBuilder
from lnas.nets.weights_file import WeightsFile
from lnas.spaces import SPACES
from lnas.store import write_whole
from lnas.types import Arch, describe

if TYPE_CHECKING:
    from torch import Tensor, nn

MODEL = "model.json"
"""The file that describes a trained network; the weights lie beside it."""

_Number = TypeVar("_Number", int, float)

NetFactory = Callable[[Arch, int], Any]

_FORMAT, _VERSION = "lnas trained net", 1
_SPLITS = ("train", "val", "test")
_BUILDER = f"{NetBuilder.__module__}.{NetBuilder.__qualname__}"


class SplitFacts(NamedTuple):
    """How many images a split has, and the hash of its content."""

    images: int
    fingerprint: str


@dataclass(frozen=True)
class ImageTask:
    """The images that a network was trained on, as far as its user must know them.

    Args:
        name: Of the data set.
        num_classes: Outputs.
        input_size: Of an image: channels, height, width.
        mean: Per channel, of pixels on the scale 0..1: subtracted first.
        std: Per channel: divided by then.
        classes: Their names in the order of the outputs, where the data has some.
        splits: Name of each split -> its facts.

    Raises:
        UsageError: If these describe no images with three channels, or there is not one name for each class.
    """

    name: str
    num_classes: int
    input_size: tuple[int, int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    classes: tuple[str, ...] | None = None
    splits: Mapping[str, SplitFacts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks = {
            "num_classes": ("an integer >= 1", type(self.num_classes) is int and self.num_classes >= 1),
            "input_size": ("three integers >= 1", len(self.input_size) == 3 and min(self.input_size) >= 1),
            "mean": ("three numbers", len(self.mean) == 3),
            "std": ("three numbers > 0", len(self.std) == 3 and min(self.std) > 0),
            "classes": (f"{self.num_classes} names", self.classes is None or len(self.classes) == self.num_classes),
        }
        for name, (expected, fits) in checks.items():
            if not fits:
                call = f"ImageTask({self.name!r}, {name}=...)"
                raise UsageError(complaint(call, expected, getattr(self, name), "Take what the training had."))


@dataclass(frozen=True)
class TrainedNet:
    """What a training came to. Torch-free; `build` makes the network.

    Args:
        arch: What was trained.
        notation: The same as its space writes it; SPACE:GENES for a space that is not ours.
        net: The options that it was built with, none of them left to a default that may change; of a factory of the
            user's own its description: nothing is imported that a file names.
        task: What it was trained on.
        metrics: Name -> value, each name beginning with the split it was measured on: "test_acc", a fraction.
        recipe: How it was trained.
        seed: With which seed.
        epoch: After which epoch the weights were taken, from 1; None where that is not known.
        origin: How the architecture was found, where that is known: fact -> value.
        versions: Of the packages that trained it.
        weights: Where the weights are; None before they are written.
        sha256: The first 16 hex digits of their file's hash; None before.

    Raises:
        UsageError: If a metric does not say its split.
    """

    arch: Arch
    notation: str
    net: NetBuilder | Mapping[str, Any] | str
    task: ImageTask
    metrics: Mapping[str, float]
    recipe: Mapping[str, Any]
    seed: int
    epoch: int | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    weights: WeightsFile | None = field(default=None, compare=False)
    sha256: str | None = None

    def __post_init__(self) -> None:
        for name in self.metrics:
            if name.partition("_")[0] not in _SPLITS:
                expected = f"a name that begins with {', '.join(f'{split}_' for split in _SPLITS)}"
                raise UsageError(complaint("TrainedNet(metrics=...)", expected, name, "Example: test_acc."))

    def builder(self) -> NetBuilder:
        """Return the factory of the network.

        Raises:
            UsageError: If it is one of the user's own.
        """
        if isinstance(self.net, NetBuilder):
            return self.net
        expected = "a network of lnas, since no code is imported that a file names"
        own = self.net if isinstance(self.net, str) else next(iter(self.net.values()), None)
        raise UsageError(complaint(f"{MODEL} of {self.notation}", expected, own, "Pass that factory as `net`."))

    def tensors(self) -> dict[str, Tensor]:
        """Read the weights, on the CPU.

        Raises:
            UsageError: If they were not written yet, cannot be read, or are others than were described.
        """
        file = self._weights_file()
        tensors = file.tensors()
        self._require_described(file)
        return tensors

    def build(self, net: NetFactory | None = None) -> nn.Module:
        """Build the network with its trained weights, in eval mode. Random number generators are left as found.

        Args:
            net: The factory that it was built by, where that is one of the user's own.

        Raises:
            UsageError: If the weights are not there, or are those of another network.
        """
        network, file = self.untrained(net), self._weights_file()
        tensors = file.tensors()
        require_fit(network.state_dict(), tensors, f"weights of {self.notation}")
        self._require_described(file)
        network.load_state_dict(tensors)
        return network.eval()

    def untrained(self, net: NetFactory | None = None) -> nn.Module:
        """Build the network with initial weights, in train mode; as `build`."""
        from lnas.randomness import isolated_randomness

        factory: NetFactory = net or self.builder()
        with isolated_randomness(0):
            return factory(self.arch, self.task.num_classes)

    def _weights_file(self) -> WeightsFile:
        if self.weights is None:
            step = "Read it from a folder by `read_trained`."
            raise UsageError(complaint(f"TrainedNet({self.arch})", "weights that were written", None, step))
        return self.weights

    def _require_described(self, file: WeightsFile) -> None:
        """Raise `UsageError` if weights that fit are others than those that were measured."""
        if self.sha256 is not None and file.fingerprint != self.sha256:
            call, expected = f"weights {str(file.path)!r}", f"the file with SHA-256 {self.sha256}, as described"
            step = f"Fetch both files anew: other weights have other numbers than {MODEL} says."
            raise UsageError(complaint(call, expected, file.fingerprint, step))


class Misfit(NamedTuple):
    """The first tensor that is not as expected, and its shapes; None where there is none of this name."""

    name: str
    expected: tuple[int, ...] | None
    found: tuple[int, ...] | None


def misfit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> Misfit | None:
    """Compare names and shapes of tensors; None where all agree."""
    wanted, got = ({name: tuple(tensor.shape) for name, tensor in part.items()} for part in (expected, found))
    wrong = (name for name in wanted | got if wanted.get(name) != got.get(name))
    return next((Misfit(name, wanted.get(name), got.get(name)) for name in wrong), None)


def require_fit(expected: Mapping[str, Tensor], found: Mapping[str, Tensor], call: str) -> None:
    """Raise `UsageError` with the first tensor that differs in name or shape, if one does."""
    first = misfit(expected, found)
    if first is None:
        return
    shape = f"no tensor {first.name!r}" if first.expected is None else f"{first.name!r} of shape {first.expected}"
    step = "These are weights of another architecture, size or number of classes."
    raise UsageError(complaint(call, shape, "no such tensor" if first.found is None else first.found, step))


def resolved(builder: NetBuilder, arch: Arch) -> NetBuilder:
    """Return the builder with the benchmark's own size and momentum spelled out: it builds the same for ever."""
    import torch
    from torch.nn import BatchNorm2d

    from lnas.nets.build import skeleton_of

    size = skeleton_of(arch.space, f"resolved({arch})").benchmark
    momentum = builder.bn_momentum
    if momentum is None:
        with torch.device("meta"):
            layers = builder(arch, 1).modules()
        momentum = next(layer.momentum for layer in layers if isinstance(layer, BatchNorm2d))
    return replace(
        builder,
        channels=size.channels if builder.channels is None else builder.channels,
        cells=size.cells if builder.cells is None else builder.cells,
        bn_momentum=momentum,
    )


def write_trained(folder: Path, trained: TrainedNet, weights: str = "weights.safetensors") -> TrainedNet:
    """Describe the weights that lie in a folder: write its `model.json`, whole or not at all.

    Args:
        folder: Where both files are.
        trained: What the weights are.
        weights: Name of their file, which must be there.

    Returns:
        The same, which now knows its weights.

    Raises:
        UsageError: If the weights cannot be read.
        RunError: If the folder cannot be written.
    """
    file = WeightsFile(folder / weights)
    written = replace(trained, weights=file, sha256=file.fingerprint)
    content = json.dumps(_record(written, weights), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(folder / MODEL, f"{content}\n".encode())
    return written


def read_trained(folder: str | Path, arch: Arch | None = None) -> TrainedNet:
    """Read what `write_trained` wrote. No weights are read yet, and no code is run.

    Args:
        folder: Where `model.json` is.
        arch: What is expected there; None takes what there is.

    Raises:
        UsageError: If it is not there, is of another format or has been tampered with, or is of another architecture.
    """
    file = Path(folder) / MODEL
    call = f"trained net {str(file)!r}"
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        step = "Name a folder that `lnas retrain`, `lnas run` or `lnas export` wrote."
        raise UsageError(complaint(call, "a file that can be read", error.strerror, step)) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(complaint(call, "JSON", str(error), "Fetch it anew.")) from error
    _require_format(record, call)
    try:
        trained = _parsed(record, file.parent)
    except UsageError as error:
        raise UsageError(f"{call}: {error}") from error
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        got = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(complaint(call, "what `lnas retrain` wrote", got, "Fetch it anew.")) from error
    if arch is not None and trained.arch != arch:
        raise UsageError(complaint(call, f"the architecture {arch}", str(trained.arch), "Name another folder."))
    return trained


def _require_format(record: object, call: str) -> None:
    found = record.get("format") if isinstance(record, dict) else type(record).__name__
    if found != _FORMAT:
        raise UsageError(complaint(call, f"the format {_FORMAT!r}", found, "Name a folder of a trained net."))
    assert isinstance(record, dict)
    if record.get("format_version") != _VERSION:
        step = "Read it with the lnas that wrote it, or a later one."
        raise UsageError(complaint(call, f"format_version {_VERSION}", record.get("format_version"), step))


def _record(trained: TrainedNet, weights: str) -> dict[str, Any]:
    task = trained.task
    data = {item.name: getattr(task, item.name) for item in fields(task)}
    return {
        "format": _FORMAT,
        "format_version": _VERSION,
        "space": trained.arch.space,
        "arch": trained.notation,
        "genes": list(trained.arch.genes),
        "net": describe(trained.net),
        "data": data | {"splits": {name: facts._asdict() for name, facts in task.splits.items()}},
        "metrics": dict(trained.metrics),
        "epoch": trained.epoch,
        "seed": trained.seed,
        "recipe": dict(trained.recipe),
        "origin": dict(trained.origin),
        "versions": dict(trained.versions),
        "weights": {"file": weights, "sha256": trained.sha256},
    }


def _parsed(record: Mapping[str, Any], folder: Path) -> TrainedNet:
    weights, arch = record["weights"], Arch(record["space"], record["genes"])
    _require_same(arch, record["arch"])
    return TrainedNet(
        arch=arch,
        notation=record["arch"],
        net=_parsed_net(record["net"]),
        task=_parsed_task(record["data"]),
        metrics={name: float(value) for name, value in record["metrics"].items()},
        recipe=dict(record["recipe"]),
        seed=int(record["seed"]),
        epoch=None if record["epoch"] is None else int(record["epoch"]),
        origin=dict(record["origin"]),
        versions=dict(record["versions"]),
        weights=WeightsFile(folder / _plain_name(weights["file"])),
        sha256=_hash(weights["sha256"]),
    )


def _parsed_task(data: Mapping[str, Any]) -> ImageTask:
    return ImageTask(
        name=str(data["name"]),
        num_classes=data["num_classes"],
        input_size=_three(int, data["input_size"]),
        mean=_three(float, data["mean"]),
        std=_three(float, data["std"]),
        classes=None if data["classes"] is None else tuple(map(str, data["classes"])),
        splits={name: SplitFacts(**facts) for name, facts in data["splits"].items()},
    )


def _three(kind: Callable[[Any], _Number], values: Iterable[Any]) -> tuple[_Number, _Number, _Number]:
    first, second, third = map(kind, values)
    return first, second, third


def _parsed_net(net: object) -> NetBuilder | Mapping[str, Any] | str:
    if isinstance(net, dict) and net.get("class") == _BUILDER:
        return NetBuilder(**{name: value for name, value in net.items() if name != "class"})
    if isinstance(net, dict | str):
        return net
    raise UsageError(complaint("net", "options or an import path", net, "Fetch the file anew."))


def _require_same(arch: Arch, notation: str) -> None:
    """Raise `UsageError` unless genes are of a known space's architecture and written as the notation says."""
    if arch.space not in SPACES:
        return
    space = SPACES[arch.space]()
    space.validate(arch)
    if space.format(arch) != notation:
        raise UsageError(complaint("arch", f"{space.format(arch)!r}, as genes say", notation, "Fetch the file anew."))


def _hash(value: object) -> str:
    """Return the hash of the weights; without one, nothing would tell them from others."""
    if not isinstance(value, str):
        raise UsageError(complaint("weights", "the hash of their file", value, "Fetch the file anew."))
    return value


def _plain_name(name: str) -> str:
    """Return the name of a file in the same folder; no path leads elsewhere."""
    if Path(name).name != name:
        raise UsageError(complaint("weights", "a file beside it", name, "Fetch the file anew."))
    return name
