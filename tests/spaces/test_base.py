from __future__ import annotations

from lnas.testing import TinySpace
from lnas.types import Arch, Region


class Sparse(TinySpace):
    """Choices that do not count from zero."""

    region = Region("tiny", ((1,), (0, 1), (2, 5, 7)))


def test_encoding_follows_the_choices():
    code = Sparse().encode(Arch("tiny", (1, 0, 5)))
    assert code.tolist() == [1, 1, 0, 0, 1, 0]
