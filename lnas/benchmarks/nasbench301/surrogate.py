"""What every surrogate of NAS-Bench-301 has in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable

import numpy as np

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.base import Benchmark
from lnas.benchmarks.nasbench301.encoding import encode
from lnas.spaces import DartsSpace
from lnas.types import Arch

DATASET, SPLIT = "cifar10", "validation"
FULL_TRAINING = 100
"""Epochs for which NAS-Bench-301 trained.

Source: automl/nasbench301, `data_generation/configs/config_0.json`: `T_max` 100, which `run_proxy.py` takes as the
length of the training as well. The recorded learning curves hold 98 epochs.
"""


class Surrogate(Benchmark):
    """A model that answers for all of the DARTS space, so that there is no table.

    An answer is a prediction, the same at each call. Isomorphic architectures may get different ones.

    Args:
        keys: Under which it answers.
    """

    def __init__(self, keys: Iterable[AccuracyKey]) -> None:
        self.space = DartsSpace()
        self._keys = dict.fromkeys(keys)

    def keys(self) -> tuple[AccuracyKey, ...]:
        return tuple(self._keys)

    @abstractmethod
    def accuracies(self, choices: np.ndarray, key: AccuracyKey) -> np.ndarray:
        """Predict validation accuracies in percent from `encode`d architectures, under a key that exists."""

    @abstractmethod
    def seconds(self, choices: np.ndarray, key: AccuracyKey) -> np.ndarray:
        """Predict seconds of training from `encode`d architectures, under a key that exists.

        Raises:
            UsageError: If the surrogate knows no times.
        """

    def query(self, arch: Arch, key: AccuracyKey) -> float:
        return float(self.queries([arch], key)[0])

    def queries(self, archs: Iterable[Arch], key: AccuracyKey) -> np.ndarray:
        self.require(key)
        return self.accuracies(encode(archs), key).astype(np.float64)

    def cost(self, arch: Arch, key: AccuracyKey) -> float:
        self.require(key)
        return float(self.seconds(encode([arch]), key)[0])
