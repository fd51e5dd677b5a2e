from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from lnas.search.crossover import cross
from lnas.search.factors import factorize
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.types import Arch


def test_every_gene_is_that_of_either_parent_with_equal_chances() -> None:
    space, rng = NatsTopologySpace(), np.random.default_rng(0)
    one, other = Arch(space.name, (0, 1, 2, 3, 4, 0)), Arch(space.name, (1, 2, 3, 4, 0, 0))
    factors = factorize(space, "test")
    children = [cross(factors, one, other, rng).genes for _ in range(400)]
    for k in range(5):
        counts = Counter(child[k] for child in children)
        assert set(counts) == {one.genes[k], other.genes[k]}
        assert 160 < counts[one.genes[k]] < 240
    assert {child[5] for child in children} == {0}
    assert len({child[:5] for child in children}) == 2**5


@pytest.mark.parametrize("seed", range(5))
def test_in_darts_a_node_takes_the_inputs_of_one_parent_and_operations_of_those_that_have_them(seed: int) -> None:
    space, rng = DartsSpace(), np.random.default_rng(seed)
    factors = factorize(space, "test")
    one, other = space.sample(rng), space.sample(rng)
    for _ in range(20):
        child = cross(factors, one, other, rng)
        space.validate(child)
        assert all(gene in (0, a, b) for gene, a, b in zip(child.genes, one.genes, other.genes, strict=True))
        for node in space.edges_by_node:
            inputs, *of_parents = ([edge for edge in node if arch.genes[edge]] for arch in (child, one, other))
            assert inputs in of_parents


def test_a_parent_crossed_with_itself_is_itself() -> None:
    space, rng = DartsSpace(), np.random.default_rng(0)
    arch = space.sample(rng)
    assert cross(factorize(space, "test"), arch, arch, rng) == arch
