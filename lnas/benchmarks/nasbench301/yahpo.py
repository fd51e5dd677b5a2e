"""YAHPO Gym's neural surrogate of NAS-Bench-301, computed with NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.nasbench301.encoding import parameters
from lnas.benchmarks.nasbench301.surrogate import DATASET, SPLIT, Surrogate
from lnas.benchmarks.plain_files import read_json, read_npz, require_folder
from lnas.errors import UsageError, complaint

RELEASE = "yahpo-nb301-2021"
EPOCHS = range(1, 99)

_WEIGHTS, _ENCODING = "yahpo_nb301_2021_weights.npz", "yahpo_nb301_encoding.json"
_DEPTHS = {"deep": 3, "deeper": 5}
_OUTPUTS = 2
_ABSENT = "#na#"
_LEAST = 0.01  # the network's output for the shortest recorded runtime
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
_FETCH = "Fetch both files of the surrogate again."
_CARD = Card(
    name="nasbench301_yahpo",
    what=(
        "A neural surrogate of the NAS-Bench-301 data: validation accuracy on CIFAR-10 of any DARTS architecture after "
        "1 to 98 epochs of a training of 100, and the seconds until then."
    ),
    source="YAHPO Gym (Pfisterer et al. 2022), first release, fitted to the data of NAS-Bench-301 (Zela et al. 2022)",
    licence="Apache-2.0",
    checked=(
        "The same answers as the released ONNX model, to 1e-4 points and 0.02 s. Against the official surrogate XGB "
        "v1.0 on 1,218 genotypes, after 98 epochs: Spearman 0.904, Kendall 0.735, 1.30 points above it on average."
    ),
)

Choices = Mapping[str, Mapping[str, int]]


class Linear(NamedTuple):
    """An affine map.

    Attributes:
        weight: Shape (outputs, inputs).
        bias: Shape (outputs,).
    """

    weight: np.ndarray
    bias: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return values @ self.weight.T + self.bias


class Network(NamedTuple):
    """The network: one embedding per parameter, and three parts of different depth whose outputs add up.

    The embeddings and the scaled epoch, one after the other, are the input of each part. The sigmoid of the sum is the
    accuracy as a share of 1, and a runtime.

    Attributes:
        embeddings: One row per choice, in the order of `parameters()`, the last row for an absent edge.
        parts: Wide, deep and deeper; SELU after each layer but the last of a part.
        epoch_scale: Factor of the number of epochs.
        accuracy_scale: Output over percent.
        runtime_range: Seconds over output.
        least_runtime: In seconds, at the least output.

    Source: the graph of the released `nb301` ONNX model.
    """

    embeddings: tuple[np.ndarray, ...]
    parts: tuple[tuple[Linear, ...], ...]
    epoch_scale: float
    accuracy_scale: float
    runtime_range: float
    least_runtime: float

    def accuracies(self, choices: np.ndarray, epochs: int) -> np.ndarray:
        """Return percent, shape (architectures,)."""
        return self._outputs(choices, epochs)[:, 0] / self.accuracy_scale

    def seconds(self, choices: np.ndarray, epochs: int) -> np.ndarray:
        """Return seconds, shape (architectures,)."""
        return (self._outputs(choices, epochs)[:, 1] - _LEAST) * self.runtime_range + self.least_runtime

    def _outputs(self, choices: np.ndarray, epochs: int) -> np.ndarray:
        from scipy.special import expit  # a second to import

        rows = [table[column] for table, column in zip(self.embeddings, choices.T, strict=True)]
        epoch = np.full((len(choices), 1), epochs * self.epoch_scale, dtype=np.float32)
        values = np.concatenate([*rows, epoch], axis=1)
        return expit(sum(_run(part, values) for part in self.parts))


class YahpoSurrogate(Surrogate):
    """The surrogate; times are the predicted seconds of training, with the validations in between, until an epoch.

    They were fitted to whole learning curves and are coarse for the first epochs: on average 339 s for 1 epoch, 532 s
    for 10, 5,895 s for 98.
    """

    card = _CARD

    def __init__(self, network: Network) -> None:
        super().__init__(AccuracyKey(RELEASE, DATASET, SPLIT, epochs, MEAN) for epochs in EPOCHS)
        self._network = network

    def accuracies(self, choices: np.ndarray, key: AccuracyKey) -> np.ndarray:
        return self._network.accuracies(choices, key.epochs)

    def seconds(self, choices: np.ndarray, key: AccuracyKey) -> np.ndarray:
        return self._network.seconds(choices, key.epochs)


def read_yahpo(folder: Path) -> YahpoSurrogate:
    """Read the surrogate from its weights and its encoding.

    Args:
        folder: With `yahpo_nb301_2021_weights.npz`, the arrays of the released ONNX model (`emb0` to `emb33`, `wide_*`,
            `deep0_*` to `deep2_*`, `deeper0_*` to `deeper4_*`, `epoch_scale`, `out_scale`), and
            `yahpo_nb301_encoding.json`: `order`, the parameters, and `levels`, the row of each choice's embedding.

    Raises:
        UsageError: If a file is missing or damaged, or is not of this surrogate.
    """
    require_folder(folder, f"the folder of {_WEIGHTS}")
    weights, encoding = folder / _WEIGHTS, folder / _ENCODING
    call = f"benchmark file {str(weights)!r}"
    arrays = read_npz(weights)
    order, levels = _read_encoding(encoding)
    names = [f"emb{k}" for k in range(len(order))]
    parts = [["wide"], *([f"{part}{k}" for k in range(depth)] for part, depth in _DEPTHS.items())]
    layers = [f"{layer}_{kind}" for part in parts for layer in part for kind in "wb"]
    _require_arrays(call, arrays, [*names, *layers, "epoch_scale", "out_scale"])
    tables = dict(zip(order, (arrays[name] for name in names), strict=True))
    network = Network(
        tuple(_embedding(call, tables[name], levels[name], choices) for name, choices in parameters()),
        tuple(tuple(Linear(arrays[f"{layer}_w"], arrays[f"{layer}_b"]) for layer in part) for part in parts),
        float(arrays["epoch_scale"]),
        *map(float, arrays["out_scale"]),
    )
    _require_fit(call, network)
    return YahpoSurrogate(network)


def _read_encoding(path: Path) -> tuple[Sequence[str], Choices]:
    """Return the order of the parameters, and the number of each choice by parameter."""
    record: Any = read_json(path)
    call = f"benchmark file {str(path)!r}"
    if not isinstance(record, dict) or not {"order", "levels"} <= record.keys():
        raise UsageError(complaint(call, "an object with 'order' and 'levels'", record, _FETCH))
    order, levels = record["order"], record["levels"]
    known = {name for name, _ in parameters()}
    if not isinstance(order, list) or set(map(str, order)) != known or len(order) != len(known):
        raise UsageError(complaint(call, f"'order' to list the {len(known)} parameters", order, _FETCH))
    if not isinstance(levels, dict) or not levels.keys() >= known:
        raise UsageError(complaint(call, "'levels' of each parameter", levels, _FETCH))
    for name, choices in parameters():
        given = levels[name]
        if not isinstance(given, dict) or sorted(map(repr, given.values())) != sorted(map(repr, range(len(given)))):
            raise UsageError(complaint(call, f"the choices of {name!r} to be numbered from 0", given, _FETCH))
        if given.keys() != {*choices, _ABSENT}:
            raise UsageError(complaint(call, f"the choices {', '.join(choices)} of {name!r}", list(given), _FETCH))
    return order, levels


def _require_arrays(call: str, arrays: Mapping[str, np.ndarray], names: Sequence[str]) -> None:
    missing = [name for name in names if name not in arrays]
    if missing:
        raise UsageError(complaint(call, f"the arrays {', '.join(names)}", f"none of {', '.join(missing)}", _FETCH))
    for name in names:
        if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
            raise UsageError(complaint(call, f"finite numbers in {name!r}", arrays[name].ravel()[:4].tolist(), _FETCH))
    for name, shape in (("epoch_scale", ()), ("out_scale", (3,))):
        if arrays[name].shape != shape:
            raise UsageError(complaint(call, f"shape {shape} of {name!r}", arrays[name].shape, _FETCH))


def _embedding(call: str, table: np.ndarray, levels: Mapping[str, int], choices: Sequence[str]) -> np.ndarray:
    """Return the rows of a parameter's choices in our order, that of an absent edge last."""
    if table.ndim != 2 or len(table) != len(levels):
        raise UsageError(complaint(call, f"an embedding of {len(levels)} choices", table.shape, _FETCH))
    return table[[levels[choice] for choice in (*choices, _ABSENT)]]


def _require_fit(call: str, network: Network) -> None:
    """Refuse layers whose shapes do not follow one another."""
    inputs = sum(table.shape[1] for table in network.embeddings) + 1
    for part in network.parts:
        width = inputs
        for weight, bias in part:
            if weight.shape != (math.prod(bias.shape), width) or bias.ndim != 1:
                got = f"weight {weight.shape} and bias {bias.shape}"
                raise UsageError(complaint(call, f"a layer of {width} inputs", got, _FETCH))
            width = len(bias)
        if width != _OUTPUTS:
            raise UsageError(complaint(call, f"{_OUTPUTS} outputs of each part", width, _FETCH))


def _run(part: Sequence[Linear], values: np.ndarray) -> np.ndarray:
    for layer in part[:-1]:
        values = _selu(layer(values))
    return part[-1](values)


def _selu(values: np.ndarray) -> np.ndarray:
    return _SELU_SCALE * np.where(values > 0, values, _SELU_ALPHA * np.expm1(np.minimum(values, 0)))
