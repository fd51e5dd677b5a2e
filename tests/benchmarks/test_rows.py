from __future__ import annotations

import itertools

import numpy as np
import pytest

from lnas.benchmarks.rows import RowsByClass, RowsByGenes, rows_standing_for
from lnas.errors import UsageError
from lnas.spaces import NatsSizeSpace, NatsTopologySpace
from lnas.types import Arch

SPACE = NatsTopologySpace()
GENES = np.array(list(itertools.product(range(3), repeat=2)))


def ascending(arch):
    """Two genes in any order are one class."""
    return Arch(arch.space, tuple(sorted(arch.genes)))


def test_each_row_is_found_by_its_genes():
    shuffled = np.random.default_rng(0).permutation(GENES)
    rows = RowsByGenes(shuffled)
    assert [rows.find(Arch("tiny", tuple(genes))) for genes in shuffled] == list(range(9))
    assert rows.find(Arch("tiny", (0, 3))) is None
    assert rows.find(Arch("tiny", (0,))) is None


@pytest.mark.parametrize("integers", [np.int8, np.uint8, np.int64])
def test_the_width_of_the_integers_does_not_matter(integers):
    assert RowsByGenes(GENES.astype(integers)).find(Arch("tiny", (2, 1))) == 7


@pytest.mark.parametrize(("repeated", "twin"), [(0, 9), (4, 9), (8, 9)])
def test_rows_of_the_same_architecture_are_named(repeated, twin):
    with pytest.raises(UsageError) as caught:
        RowsByGenes(np.concatenate([GENES, GENES[[repeated]]]))
    assert f"expected each architecture once, got 'rows {repeated} and {twin}'" in str(caught.value)


def test_any_member_finds_the_row_of_its_class():
    representatives = np.array([genes for genes in GENES.tolist() if genes == sorted(genes)])
    rows = RowsByClass(representatives, ascending)
    for genes in GENES.tolist():
        assert representatives[rows.find(Arch("tiny", tuple(genes)))].tolist() == sorted(genes)
    assert RowsByClass(representatives[1:], ascending).find(Arch("tiny", (0, 0))) is None


def test_two_rows_of_a_class_that_share_their_genes_are_refused():
    with pytest.raises(UsageError, match="expected each architecture once"):
        RowsByClass(np.array([[0, 1], [0, 1]]), ascending)


@pytest.mark.parametrize("sense", ["isomorphic", "functional"])
def test_a_standing_is_a_sense_of_the_space(sense):
    representatives = np.array([arch.genes for arch in SPACE.classes(sense)])
    rows = rows_standing_for(sense, representatives, SPACE)
    rng = np.random.default_rng(0)
    for arch in [SPACE.sample(rng) for _ in range(200)]:
        assert tuple(representatives[rows.find(arch)]) == SPACE.canonical(arch, sense).genes


def test_a_row_that_stands_for_itself_is_found_by_itself_only():
    rows = rows_standing_for("architecture", np.array([[3, 0, 0, 0, 1, 0]]), SPACE)
    assert rows.find(Arch(SPACE.name, (3, 0, 0, 0, 1, 0))) == 0
    # The same function, through node 2.
    assert rows.find(Arch(SPACE.name, (0, 3, 0, 0, 0, 1))) is None


@pytest.mark.parametrize(("standing", "space"), [("functional", NatsSizeSpace()), ("function", SPACE)])
def test_another_standing_is_refused(standing, space):
    genes = np.zeros((1, len(space.region.choices)), dtype=int)
    with pytest.raises(UsageError, match=f"expected architecture or isomorphic, got '{standing}'"):
        rows_standing_for(standing, genes, space)
