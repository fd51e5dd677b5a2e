"""DARTS architectures as NAS-Bench-301 writes them: 34 categorical parameters.

One parameter per possible edge of each cell holds its operation, if the edge is present. One more per intermediate node
but the first, which has no choice, names the node's two inputs, as `0_2`.

Source: automl/nasbench301, `nasbench301/configspace.json` and `representations.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import numpy as np

from lnas.spaces import DartsSpace
from lnas.spaces.darts.cells import INPUTS, edges_into
from lnas.spaces.darts.notation import CELLS, EDGES, NODES, OPS
from lnas.types import Arch

ABSENT = -1
"""Choice of an edge that is not there."""


class Parameter(NamedTuple):
    """One categorical parameter.

    Attributes:
        name: Without the prefix that the configuration space puts before it.
        choices: In the order of the configuration space.
    """

    name: str
    choices: tuple[str, ...]


@cache
def parameters() -> tuple[Parameter, ...]:
    """Return the parameters in the order of `encode`: edges of both cells, then inputs of both cells.

    Example:
        >>> [parameter.name for parameter in parameters()][26:30]
        ['edge_reduce_12', 'edge_reduce_13', 'inputs_node_normal_3', 'inputs_node_normal_4']
        >>> parameters()[28].choices
        ('0_1', '0_2', '1_2')
    """
    edges = [Parameter(f"edge_{cell}_{edge}", OPS[1:]) for cell in CELLS for edge in range(len(EDGES))]
    inputs = [Parameter(f"inputs_node_{cell}_{node}", _pairs(node)) for cell in CELLS for node in _choosing()]
    return (*edges, *inputs)


def encode(archs: Iterable[Arch]) -> np.ndarray:
    """Return the choices of architectures as integers, shape (architectures, 34); `ABSENT` for an edge that is not.

    Raises:
        UsageError: If one is not of the DARTS space.

    Example:
        >>> from lnas.spaces import published_genotype
        >>> encode([published_genotype("DARTS_V2")])[0, :14]
        array([ 3,  3,  3,  3, -1,  2,  3, -1, -1,  2, -1,  5, -1, -1])
    """
    space = DartsSpace()
    listed = list(archs)
    for arch in listed:
        space.validate(arch)
    genes = np.array([arch.genes for arch in listed], dtype=np.int64).reshape(len(listed), len(space.region.choices))
    inputs = [
        _pair_number(genes[:, first + edges.start : first + edges.stop] > 0)
        for first in (0, len(EDGES))
        for edges in edges_into(NODES)[1:]
    ]
    return np.column_stack([genes - 1, *inputs])


def _choosing() -> range:
    """Return the nodes that have a choice of inputs."""
    return range(INPUTS + 1, INPUTS + NODES)


def _pairs(node: int) -> tuple[str, ...]:
    return tuple(f"{one}_{other}" for one, other in itertools.combinations(range(node), 2))


def _pair_number(present: np.ndarray) -> np.ndarray:
    """Return which pair of sources is present, in the order of `_pairs`, from a mask of shape (architectures, node)."""
    node = present.shape[1]
    numbers = np.zeros((node, node), dtype=np.int64)
    numbers[np.triu_indices(node, k=1)] = range(node * (node - 1) // 2)
    return numbers[present.argmax(axis=1), node - 1 - present[:, ::-1].argmax(axis=1)]
