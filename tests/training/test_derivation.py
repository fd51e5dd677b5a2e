from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax

from lnas.errors import UsageError
from lnas.spaces import DartsSpace, NatsTopologySpace, NdsResNetSpace
from lnas.training.derivation import derive
from lnas.types import Region

NATS, DARTS = NatsTopologySpace(), DartsSpace()


def uniform(region: Region) -> list[np.ndarray]:
    return [np.full(len(allowed), 1 / len(allowed)) for allowed in region.choices]


def test_edges_of_nats_topology_take_their_strongest_choice() -> None:
    weights = [np.eye(5)[gene] * 0.5 + 0.1 for gene in (3, 0, 4, 1, 2, 0)]
    weights[1][2] = 0.3
    assert derive(NATS.region, weights).genes == (3, 0, 4, 1, 2, 0)
    assert derive(NATS.region, weights, none="excluded").genes == (3, 2, 4, 1, 2, 1)


def test_choices_are_those_of_the_region() -> None:
    region = Region(NATS.name, ((0,), (2, 4), (0, 1), (3,), (1, 3), (0, 2)))
    weights = [np.array(pair) for pair in ([1.0], [0.4, 0.6], [0.7, 0.3], [1.0], [0.5, 0.5], [0.2, 0.8])]
    assert derive(region, weights).genes == (0, 4, 0, 3, 1, 2)
    assert derive(region, weights, none="excluded").genes == (0, 4, 1, 3, 1, 2)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_darts_cells_are_derived_as_darts_does(seed: int) -> None:
    alphas = np.random.default_rng(seed).normal(size=(2, 14, 8))
    weights = list(softmax(alphas, axis=-1).reshape(28, 8))
    assert derive(DARTS.region, weights) == DARTS.from_alphas(*alphas)


def test_a_darts_node_by_hand() -> None:
    """The edges into node 3 are 2, 3, 4: the third is strong by `none` only, and the first by a weighted edge."""
    weights = uniform(DARTS.region)
    weights[2] = np.array([0.1, 0.0, 0.0, 0.6, 0.3, 0.0, 0.0, 0.0]) * 0.5
    weights[3] = np.array([0.4, 0.0, 0.0, 0.2, 0.4, 0.0, 0.0, 0.0]) * 0.5
    weights[4] = np.array([0.9, 0.0, 0.0, 0.0, 0.0, 0.1, 0.0, 0.0])
    assert derive(DARTS.region, weights).genes[2:5] == (3, 4, 0)
    weights[2] *= 0.2
    assert derive(DARTS.region, weights).genes[2:5] == (0, 4, 5)


def test_darts_edges_are_left_out_where_the_region_has_no_none() -> None:
    region = Region(DARTS.name, ((3, 4),) * 28)
    arch = derive(region, [np.array([0.4, 0.6])] * 28)
    DARTS.validate(arch)
    assert arch.genes[2:5] == (4, 4, 0)


def test_what_diverged_has_no_result() -> None:
    weights = uniform(NATS.region)
    weights[3][1] = np.nan
    with pytest.raises(UsageError, match=r"finite weights.*nan.*diverged"):
        derive(NATS.region, weights)


def test_other_spaces_are_refused() -> None:
    region = NdsResNetSpace().region
    with pytest.raises(UsageError, match=r"operations on edges \(nats_topology, darts\), got 'nds_resnet'"):
        derive(region, uniform(region))
