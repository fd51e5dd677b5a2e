"""The topology space of NATS-Bench, which is that of NAS-Bench-201: 15,625 cells."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Literal

from lnas.errors import UsageError, complaint, unknown_name
from lnas.reading import read_text
from lnas.spaces.drawing import Edge, Svg, draw_cell
from lnas.spaces.product import Decision, ProductSpace
from lnas.types import Arch

OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NODES = 4
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
Sense = Literal["isomorphic", "functional", "computational"]

_NAME = "nats_topology"
_EXAMPLE = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
_NONE, _SKIP = OPS.index("none"), OPS.index("skip_connect")
CONVOLUTIONS = (OPS.index("nor_conv_1x1"), OPS.index("nor_conv_3x3"))


class NatsTopologySpace(ProductSpace):
    """Cells of four nodes in which each of the six edges i -> j, i < j, carries one of five operations.

    Gene k is the operation of edge k in the order (0,1) (0,2) (1,2) (0,3) (1,3) (2,3), as an index into
    `none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3`. Node 0 is the input, node 3 the output, and a node
    sums its edges. The notation is the benchmark's: `|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`.

    Source: Dong and Yang 2020 (NAS-Bench-201), Dong et al. 2021 (NATS-Bench).

    Example:
        >>> space = NatsTopologySpace()
        >>> arch = space.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
        >>> arch.genes
        (3, 0, 1, 0, 0, 2)
        >>> space.format(arch)
        '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|'
    """

    name = _NAME
    decisions = tuple(Decision(f"edge {source}->{target}", OPS) for source, target in EDGES)

    @property
    def class_count(self) -> int:
        """6,466, as published: counted by walking the space once (about a third of a second, then remembered)."""
        return len(_representatives("isomorphic"))

    def parse(self, text: str) -> Arch:
        call = f"NatsTopologySpace.parse({text!r})"
        nodes = read_text(call, text, f"Example: {_EXAMPLE}").split("+")
        if len(nodes) != NODES - 1:
            raise UsageError(complaint(call, "three nodes joined by '+'", text, f"Example: {_EXAMPLE}"))
        genes = []
        for target, node in enumerate(nodes, start=1):
            items = re.findall(r"\|([^|~+]+)~([0-9]+)(?=\|)", node)
            if "".join(f"|{op}~{source}" for op, source in items) + "|" != node or len(items) != target:
                raise UsageError(
                    complaint(call, f"{target} edge(s) `|op~source|` into node {target}", node, f"Example: {_EXAMPLE}")
                )
            for source, (op, index) in enumerate(items):
                if op not in OPS:
                    raise UsageError(complaint(call, f"an operation of {', '.join(OPS)}", op, f"Example: {_EXAMPLE}"))
                if index != str(source):
                    expected = f"source {source} into node {target}"
                    raise UsageError(complaint(call, expected, index, "List the sources in order."))
                genes.append(OPS.index(op))
        return Arch(_NAME, tuple(genes))

    def format(self, arch: Arch) -> str:
        self.validate(arch)
        nodes = []
        for target in range(1, NODES):
            into = [(EDGES[k][0], OPS[gene]) for k, gene in enumerate(arch.genes) if EDGES[k][1] == target]
            nodes.append("|" + "".join(f"{op}~{source}|" for source, op in into))
        return "+".join(nodes)

    def canonical(self, arch: Arch, sense: Sense = "isomorphic") -> Arch:
        """Return the class's member with the smallest genes.

        Args:
            arch: A cell.
            sense: "isomorphic", the published rule that leaves 6,466 classes: an edge whose operation or source is
                `none` becomes a marker that is kept, so that two such edges still differ from one; skips are
                transparent; the inputs of a node are unordered. "functional", same function up to weights, leaves
                4,930: dead edges vanish and sums of sums are flattened. "computational" leaves 5,260: the same
                function by the same live convolutions, where a functional class may have cells that use one
                convolution twice and cells with two of them.

        Raises:
            UsageError: If the space has no such cell, or there is no such sense.
        """
        self.validate(arch)
        _require_sense(sense)
        return _representatives(sense)[_CLASS_KEY[sense](arch.genes)]

    def classes(self, sense: Sense = "isomorphic") -> Iterator[Arch]:
        _require_sense(sense)
        yield from _representatives(sense).values()

    def is_valid(self, arch: Arch) -> bool:
        """Tell whether a convolution lies on some path from input to output: 13,642 cells of 15,625, as published."""
        live = live_edges(arch.genes)
        return any(edge in live and gene in CONVOLUTIONS for edge, gene in zip(EDGES, arch.genes, strict=True))

    def draw(self, arch: Arch) -> Svg:
        self.validate(arch)
        live = live_edges(arch.genes)
        edges = [
            Edge(source, target, OPS[gene], dead=(source, target) not in live)
            for (source, target), gene in zip(EDGES, arch.genes, strict=True)
            if gene != _NONE
        ]
        return draw_cell(["in", "1", "2", "out"], edges, title=self.format(arch))


def live_edges(genes: tuple[int, ...]) -> frozenset[tuple[int, int]]:
    """Return the edges that carry something from the input to the output; the others decide nothing."""
    present = [edge for edge, gene in zip(EDGES, genes, strict=True) if gene != _NONE]
    fed, used = {0}, {NODES - 1}
    for source, target in sorted(present, key=lambda edge: edge[1]):
        if source in fed:
            fed.add(target)
    for source, target in sorted(present, key=lambda edge: -edge[0]):
        if target in used:
            used.add(source)
    return frozenset((source, target) for source, target in present if source in fed and target in used)


def _edges_by_target(genes: tuple[int, ...]) -> Iterator[list[tuple[int, int]]]:
    """Yield, for nodes 1, 2, 3, the (source, operation) of each incoming edge."""
    for target in range(1, NODES):
        yield [(source, gene) for (source, end), gene in zip(EDGES, genes, strict=True) if end == target]


def _isomorphism_key(genes: tuple[int, ...]) -> str:
    nodes = ["x"]
    for edges in _edges_by_target(genes):
        terms = []
        for source, op in edges:
            if op == _NONE or nodes[source] == "#":
                terms.append("#")
            else:
                # By name: sums within sums are not sorted again, so the classes depend on how the names sort.
                terms.append(nodes[source] if op == _SKIP else f"({nodes[source]})@{OPS[op]}")
        nodes.append("+".join(sorted(terms)))
    return nodes[-1]


def _functional_key(genes: tuple[int, ...]) -> str:
    nodes: list[Counter[str]] = [Counter({"x": 1})]
    for edges in _edges_by_target(genes):
        total: Counter[str] = Counter()
        for source, op in edges:
            if op == _NONE or not nodes[source]:
                continue
            total += nodes[source] if op == _SKIP else Counter({f"({_written(nodes[source])})@{op}": 1})
        nodes.append(total)
    return _written(nodes[-1])


def _computational_key(genes: tuple[int, ...]) -> str:
    live = live_edges(genes)
    convolutions = sorted(
        gene for edge, gene in zip(EDGES, genes, strict=True) if edge in live and gene in CONVOLUTIONS
    )
    return f"{convolutions} {_functional_key(genes)}"


def _written(terms: Counter[str]) -> str:
    return "+".join(sorted(terms.elements()))


_CLASS_KEY = {
    "isomorphic": _isomorphism_key,
    "functional": _functional_key,
    "computational": _computational_key,
}


def _require_sense(sense: str) -> None:
    if sense not in _CLASS_KEY:
        raise UsageError(f"space {_NAME!r}: {unknown_name('sense', sense, _CLASS_KEY)}")


@cache
def _representatives(sense: Sense) -> dict[str, Arch]:
    """Map each class key to its first member in the order of the genes."""
    first: dict[str, Arch] = {}
    for genes in itertools.product(range(len(OPS)), repeat=len(EDGES)):
        first.setdefault(_CLASS_KEY[sense](genes), Arch(_NAME, genes))
    return first
