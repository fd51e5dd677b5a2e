"""The size space of NATS-Bench: five widths of one network, 32,768 in all."""

from __future__ import annotations

from lnas.spaces.drawing import Stage, Svg, draw_stages
from lnas.spaces.product import Decision, ProductSpace
from lnas.types import Arch

WIDTHS = (8, 16, 24, 32, 40, 48, 56, 64)

_LAYERS = ("cell 1", "reduction 1", "cell 2", "reduction 2", "cell 3")


class NatsSizeSpace(ProductSpace):
    """Widths of five layers of one network, whose cell is always the same.

    Gene k is the width of layer k, as an index into 8, 16, ..., 64; the first is the stem's and the first cell's, and
    then come reduction, cell, reduction, cell, as in `NatsSizeNet`. The notation is the benchmark's: the widths joined
    by colons. The benchmark's index of an architecture is its place in `classes()`.

    Source: Dong et al. 2021 (NATS-Bench).

    Example:
        >>> space = NatsSizeSpace()
        >>> arch = space.parse("64:8:16:24:32")
        >>> arch.genes, space.widths(arch)
        ((7, 0, 1, 2, 3), (64, 8, 16, 24, 32))
    """

    name = "nats_size"
    decisions = tuple(Decision(f"width of {layer}", tuple(map(str, WIDTHS))) for layer in _LAYERS)

    def widths(self, arch: Arch) -> tuple[int, ...]:
        """Return the five widths."""
        self.validate(arch)
        return tuple(WIDTHS[gene] for gene in arch.genes)

    def draw(self, arch: Arch) -> Svg:
        stages = [Stage(layer, width) for layer, width in zip(_LAYERS, self.widths(arch), strict=True)]
        return draw_stages(stages, title=self.format(arch), widest=WIDTHS[-1])
