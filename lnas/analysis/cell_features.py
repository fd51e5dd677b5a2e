"""What cells look like, in numbers: depth, receptive field, operations, kernel sizes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lnas.analysis.longest_paths import longest_paths
from lnas.errors import UsageError, complaint
from lnas.spaces import DartsSpace, NatsTopologySpace, SearchSpace
from lnas.spaces import nats_topology as nats
from lnas.spaces.darts import notation as darts
from lnas.spaces.darts.cells import INPUTS
from lnas.types import Arch

SKIP = "skip_connect"


class _Operation(NamedTuple):
    """An operation's window, in pixels, and the kernel of its convolution, 0 for none."""

    window: int
    kernel: int


# A separable convolution of DARTS is two in a row, a dilated one has dilation 2.
_OPERATIONS = {
    "skip_connect": _Operation(1, 0),
    "nor_conv_1x1": _Operation(1, 1),
    "nor_conv_3x3": _Operation(3, 3),
    "avg_pool_3x3": _Operation(3, 0),
    "max_pool_3x3": _Operation(3, 0),
    "sep_conv_3x3": _Operation(5, 3),
    "sep_conv_5x5": _Operation(9, 5),
    "dil_conv_3x3": _Operation(5, 3),
    "dil_conv_5x5": _Operation(9, 5),
}


class _Frame(NamedTuple):
    """What all cells of a kind share: operations, of which number 0 is none, edges, inputs, and outputs."""

    ops: Sequence[str]
    edges: Sequence[tuple[int, int]]
    inputs: Sequence[int]
    outputs: Sequence[int]


_NATS = _Frame(nats.OPS, nats.EDGES, [0], [nats.NODES - 1])
_DARTS = _Frame(darts.OPS, darts.EDGES, range(INPUTS), darts.OUTPUTS)


def cell_features(archs: Sequence[Arch], space: SearchSpace) -> dict[str, np.ndarray]:
    """Describe cells of NATS topology, or the two of each architecture of DARTS, whose names begin so.

    Only edges that carry something from an input to the output count, `live_edges` in NATS topology and all in DARTS.

    - `depth`: connections on the longest path from an input to the output, skips among them, DARTS' concatenation not;
    - `convolutional depth`: the most convolutions on a path, a separable one of DARTS counting once;
    - `receptive field`: side, in pixels of the cell's input, of what one pixel of its output sees at most; a reduction
      cell as if its strides were 1;
    - `edges`: how many; `skip share`: which part of them are skips, in [0, 1], NaN where there are no edges;
    - one for each operation, and for each kernel of convolutions, such as `kernel 3x3`: on how many edges it is.

    Args:
        archs: The n architectures.
        space: Theirs.

    Returns:
        Name -> shape (n,). A cell whose output nothing reaches has zeros, and NaN for its share of skips.

    Raises:
        UsageError: If the space is another, or an architecture is not of it.

    Source: depth as in Chen et al. 2021 (TEG-NAS), after Shu et al. 2020, "Understanding Architectures Learnt by
    Cell-based Neural Architecture Search".

    Example:
        >>> space = NatsTopologySpace()
        >>> cell = space.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
        >>> found = cell_features([cell], space)
        >>> {name: found[name].item() for name in ("depth", "convolutional depth", "receptive field", "skip share")}
        {'depth': 3.0, 'convolutional depth': 2.0, 'receptive field': 3.0, 'skip share': 0.3333333333333333}
    """
    for arch in archs:
        space.validate(arch)
    if isinstance(space, NatsTopologySpace):
        live = np.array([_live(arch.genes) for arch in archs], dtype=int).reshape(-1, len(nats.EDGES))
        return _features(live, _NATS)
    if isinstance(space, DartsSpace):
        genes = np.array([arch.genes for arch in archs], dtype=int).reshape(-1, len(darts.CELLS) * len(darts.EDGES))
        cells = zip(darts.CELLS, np.split(genes, len(darts.CELLS), axis=1), strict=True)
        return {f"{cell} {name}": of_each for cell, own in cells for name, of_each in _features(own, _DARTS).items()}
    step = "Others can be compared by size: complexity_bias."
    raise UsageError(complaint("cell_features(archs, space)", "nats_topology or darts", space.name, step))


def _live(genes: tuple[int, ...]) -> list[int]:
    """Return the operation of each edge of a NATS topology cell, 0 for those that decide nothing."""
    live = nats.live_edges(genes)
    return [gene if edge in live else 0 for edge, gene in zip(nats.EDGES, genes, strict=True)]


def _features(genes: np.ndarray, frame: _Frame) -> dict[str, np.ndarray]:
    """Describe cells by the operation on each live edge, shape (n, edges), 0 for none."""
    known = [_OPERATIONS[op] for op in frame.ops[1:]]
    kernels = np.array([0, *(op.kernel for op in known)])
    edges = (genes > 0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        skip_share = (genes == frame.ops.index(SKIP)).sum(axis=1) / edges
    paths = {
        "depth": [1] * len(known),
        "convolutional depth": [int(op.kernel > 0) for op in known],
        "receptive field": [op.window - 1 for op in known],
    }
    found = {name: _longest(np.array([-np.inf, *lengths])[genes], frame) for name, lengths in paths.items()}
    found["receptive field"] = found["receptive field"] + (edges > 0)
    return {
        **found,
        "edges": edges.astype(float),
        "skip share": skip_share,
        **{op: (genes == number).sum(axis=1).astype(float) for number, op in enumerate(frame.ops) if number},
        **{
            f"kernel {size}x{size}": (kernels[genes] == size).sum(axis=1).astype(float)
            for size in np.unique(kernels[kernels > 0])
        },
    }


def _longest(lengths: np.ndarray, frame: _Frame) -> np.ndarray:
    """Return the longest path to an output, 0 where none leads there."""
    longest = longest_paths(lengths, frame.edges, frame.inputs)[:, list(frame.outputs)].max(axis=1)
    return np.where(np.isfinite(longest), longest, 0)
