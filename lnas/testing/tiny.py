"""A space so small that everything about it can be checked by listing it."""

from __future__ import annotations

from lnas.spaces import Decision, ProductSpace


class TinySpace(ProductSpace):
    """Three independent binary decisions: eight architectures, of which no two are isomorphic.

    The notation is one digit per decision, such as `101`.

    Example:
        >>> space = TinySpace()
        >>> space.parse("101").genes
        (1, 0, 1)
        >>> [space.format(arch) for arch in space.neighbors(space.parse("101"))]
        ['001', '111', '100']
    """

    name = "tiny"
    separator = ""
    decisions = tuple(Decision(f"digit {number}", ("0", "1")) for number in range(3))
