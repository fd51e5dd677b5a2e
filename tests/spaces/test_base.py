from __future__ import annotations

from lnas.errors import UsageError
from lnas.testing import TinySpace
from lnas.types import Arch, Region


class Sparse(TinySpace):
    """Choices that do not count from zero."""

    region = Region("tiny", ((1,), (0, 1), (2, 5, 7)))


def test_encoding_follows_the_choices():
    code = Sparse().encode(Arch("tiny", (1, 0, 5)))
    assert code.tolist() == [1, 1, 0, 0, 1, 0]


def test_every_arch_once_in_the_order_of_the_genes():
    archs = list(TinySpace().archs())
    assert archs == sorted(set(archs))
    assert len(archs) == TinySpace().size


def test_combinations_that_are_no_architecture_are_left_out():
    class Even(TinySpace):
        def validate(self, arch: Arch) -> None:
            super().validate(arch)
            if sum(arch.genes) % 2:
                raise UsageError("odd")

    assert [arch.genes for arch in Even().archs()] == [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
