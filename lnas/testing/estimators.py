"""The laws of estimators."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import numpy as np

from lnas.estimators import Estimator
from lnas.store import protocol_key
from lnas.types import Arch, describe


class EstimatorContract:
    """Subclass in a test file and give two fixtures: `estimator`, and `archs`, at least two architectures it serves."""

    def test_fills_every_measure(self, estimator: Estimator, archs: Sequence[Arch]) -> None:
        """An estimate for each name in `measures`, and no other."""
        assert estimator.estimate(archs[0], seed=0).keys() == estimator.measures.keys()

    def test_same_seed_same_numbers_in_any_order(self, estimator: Estimator, archs: Sequence[Arch]) -> None:
        """No number depends on what was measured before it; of one that is not repeatable, no status does."""
        forward = [_values(estimator, arch, 0) for arch in archs]
        backward = [_values(estimator, arch, 0) for arch in reversed(archs)]
        assert forward == backward[::-1]

    def test_leaves_all_random_generators_as_found(self, estimator: Estimator, archs: Sequence[Arch]) -> None:
        """Python's, NumPy's and PyTorch's."""
        import torch

        before = random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()  # noqa: NPY002
        estimator.estimate(archs[0], seed=0)
        after = random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()  # noqa: NPY002
        assert before == after

    def test_protocol_is_plain_data(self, estimator: Estimator) -> None:
        """It can be written as JSON and hashed, the same each time."""
        json.dumps(describe(estimator.protocol))
        assert protocol_key(estimator.protocol) == protocol_key(estimator.protocol)


def _values(estimator: Estimator, arch: Arch, seed: int) -> list[tuple[str, str, str]]:
    values = estimator.estimate(arch, seed=seed).items()
    return [(name, item.status, repr(item.value) if estimator.is_repeatable else "") for name, item in values]
