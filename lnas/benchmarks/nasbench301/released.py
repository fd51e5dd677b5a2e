"""The official surrogates as released: ensembles of gradient-boosted trees, a folder per member."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.nasbench301.boosters import Library, Trees, read_trees
from lnas.benchmarks.nasbench301.encoding import parameters
from lnas.benchmarks.nasbench301.surrogate import DATASET, FULL_TRAINING, SPLIT, Surrogate
from lnas.benchmarks.plain_files import read_json, require_folder
from lnas.errors import UsageError, complaint

_PREFIX = "NetworkSelectorDatasetInfo:darts:"
_FIXED = (
    "CreateImageDataLoader:batch_size",
    "ImageAugmentation:augment",
    "ImageAugmentation:autoaugment",
    "ImageAugmentation:cutout",
    "ImageAugmentation:cutout_holes",
    "ImageAugmentation:cutout_length",
    "ImageAugmentation:fastautoaugment",
    "LossModuleSelectorIndices:loss_module",
    f"{_PREFIX}auxiliary",
    f"{_PREFIX}drop_path_prob",
    f"{_PREFIX}init_channels",
    f"{_PREFIX}layers",
    "NetworkSelectorDatasetInfo:network",
    "OptimizerSelector:optimizer",
    "OptimizerSelector:sgd:learning_rate",
    "OptimizerSelector:sgd:momentum",
    "OptimizerSelector:sgd:weight_decay",
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max",
    "SimpleLearningrateSchedulerSelector:cosine_annealing:eta_min",
    "SimpleLearningrateSchedulerSelector:lr_scheduler",
    "SimpleTrainNode:batch_loss_computation_technique",
    "SimpleTrainNode:mixup:alpha",
)
_ALWAYS_PRESENT = re.compile(r"edge_(normal|reduce)_[01]|inputs_.*")
_FOLDER = re.compile(r"(?P<model>[a-z]+)(?P<time>_runtime)?_v(?P<version>[0-9.]+)")
_MODEL = "surrogate_model"
_SUFFIXES = (".json", ".txt", ".model")
_LIBRARIES: dict[str, Library] = {"xgb": "xgboost", "lgb": "lightgbm"}
_LAYOUT = "Give a folder as released, such as nb_models/xgb_v1.0."


class ReleasedSurrogate(Surrogate):
    """An ensemble's mean, without the noise that the official code can add.

    Times are the predicted seconds of the whole training, by a second ensemble.
    """

    def __init__(self, release: str, accuracy: Sequence[Trees], runtime: Sequence[Trees] | None) -> None:
        super().__init__([AccuracyKey(release, DATASET, SPLIT, FULL_TRAINING, MEAN)])
        self.card = _card(release, len(accuracy))
        self._accuracy = accuracy
        self._runtime = runtime

    def accuracies(self, choices: np.ndarray, key: AccuracyKey) -> np.ndarray:
        return _mean(self._accuracy, choices)

    def seconds(self, choices: np.ndarray, key: AccuracyKey) -> np.ndarray:
        if self._runtime is None:
            step = "Read it with runtime=..., such as nb_models/lgb_runtime_v1.0."
            raise UsageError(complaint(f"benchmark {self.card.name!r}", "a surrogate of the runtime", None, step))
        return _mean(self._runtime, choices)


def read_released(folder: Path, runtime: Path | None = None) -> ReleasedSurrogate:
    """Read a released ensemble of XGBoost or LightGBM models. The graph networks (`gnn_gin`) cannot be read.

    A member's folder, at any depth, has `model_config.json`, whose `model` is `xgb` or `lgb` (`xgb_time` or `lgb_time`
    for runtimes), and `surrogate_model.model`, a pickled booster. It is not unpickled: see
    `lnas.benchmarks.nasbench301.boosters` for what is found in it. A `surrogate_model.json` (XGBoost) or `.txt`
    (LightGBM) beside it, as `Booster.save_model` writes, is read instead.

    The features are the vector of ConfigSpace 0.4: unconditional parameters by name, then conditional ones by name; an
    absent edge is -1. Settings of the training are among them, which were the same for all; models that use them are
    refused.

    Args:
        folder: Named as released, `xgb_v1.0`, from which the release is known: the files do not say it.
        runtime: That of the runtimes, `lgb_runtime_v1.0`. Without it, there are no costs.

    Raises:
        UsageError: If a folder is not as described, a file is missing, damaged or of a format that the installed
            library does not read, or the library is not installed.

    Source: automl/nasbench301, `api.py`, `surrogate_models/gradient_boosting`, `surrogate_models/ensemble.py`.
    """
    model, version = _identify(folder, time=False)
    members = _read_members(folder, model)
    if runtime is None:
        return ReleasedSurrogate(f"nasbench301-{model}-{version}", members, None)
    time_model, time_version = _identify(runtime, time=True)
    if time_version != version:
        call = f"surrogate {str(runtime)!r}"
        raise UsageError(complaint(call, f"version {version}, that of the accuracies", time_version, _LAYOUT))
    return ReleasedSurrogate(f"nasbench301-{model}-{version}", members, _read_members(runtime, f"{time_model}_time"))


@cache
def columns() -> tuple[str, ...]:
    """Return the features' names in order.

    Example:
        >>> len(columns()), columns()[10], columns()[-1]
        (56, 'NetworkSelectorDatasetInfo:darts:edge_normal_0', 'NetworkSelectorDatasetInfo:darts:edge_reduce_9')
    """
    names = [name for name, _ in parameters()]
    always = [f"{_PREFIX}{name}" for name in names if _ALWAYS_PRESENT.fullmatch(name)]
    conditional = [f"{_PREFIX}{name}" for name in names if not _ALWAYS_PRESENT.fullmatch(name)]
    return (*sorted([*_FIXED, *always]), *sorted(conditional))


def features(choices: np.ndarray) -> np.ndarray:
    """Return the models' features from `encode`d architectures, shape (architectures, 56); 0 for all settings."""
    position = {name: number for number, name in enumerate(columns())}
    values = np.zeros((len(choices), len(position)))
    values[:, [position[f"{_PREFIX}{name}"] for name, _ in parameters()]] = choices
    return values


def _mean(members: Sequence[Trees], choices: np.ndarray) -> np.ndarray:
    if not len(choices):
        return np.empty(0)
    return np.stack([member.predict(features(choices)) for member in members]).mean(axis=0, dtype=np.float64)


def _identify(folder: Path, time: bool) -> tuple[str, str]:
    """Return model and version, which the name of the folder says."""
    require_folder(folder, "a folder", _LAYOUT)
    call = f"surrogate {str(folder)!r}"
    found = _FOLDER.fullmatch(folder.resolve().name)
    if found is None or found["model"] not in _LIBRARIES or bool(found["time"]) != time:
        forms = " or ".join(f"{model}{'_runtime' * time}_v..." for model in _LIBRARIES)
        raise UsageError(complaint(call, f"a folder named {forms}", folder.resolve().name, _LAYOUT))
    return found["model"], found["version"]


def _read_members(folder: Path, model: str) -> list[Trees]:
    places = sorted({path.parent for path in folder.rglob(f"{_MODEL}.*") if path.suffix in _SUFFIXES})
    if not places:
        raise UsageError(complaint(f"surrogate {str(folder)!r}", f"members with {_MODEL}.model", "none", _LAYOUT))
    return [_read_member(place, model) for place in places]


def _read_member(folder: Path, model: str) -> Trees:
    call = f"surrogate {str(folder)!r}"
    config: Any = read_json(folder / "model_config.json")
    if not isinstance(config, dict) or config.get("model") != model:
        got = config.get("model") if isinstance(config, dict) else config
        raise UsageError(complaint(call, f"'model' {model!r} in model_config.json", got, _LAYOUT))
    path = next(path for suffix in _SUFFIXES if (path := folder / f"{_MODEL}{suffix}").exists())
    trees = read_trees(path, _LIBRARIES[model.removesuffix("_time")])
    if trees.columns != len(columns()):
        expected = f"a model of {len(columns())} features, those of the configuration space"
        raise UsageError(complaint(call, expected, trees.columns, "Models of other encodings cannot be asked."))
    settings = sorted(columns()[number] for number in trees.used if columns()[number] in _FIXED)
    if settings:
        step = "Models that know other trainings cannot be asked."
        raise UsageError(complaint(call, "trees that split on the architecture only", ", ".join(settings), step))
    return trees


def _card(release: str, members: int) -> Card:
    return Card(
        name="nasbench301",
        what=f"Mean prediction of {members} surrogates: validation accuracy on CIFAR-10 of any DARTS architecture.",
        source=f"NAS-Bench-301 (Zela et al. 2022), released surrogate {release}",
        licence="Apache-2.0",
        checked=(
            "The format, on models written by the libraries of 2020 and by current ones. Not the numbers: the released "
            "files were not at hand."
        ),
    )
