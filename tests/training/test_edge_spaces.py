from __future__ import annotations

import pytest

from lnas.errors import UsageError
from lnas.spaces import DartsSpace, NasBench1Shot1Space, NatsTopologySpace
from lnas.training.edge_spaces import edge_space_of


def test_decisions_are_edges_into_nodes() -> None:
    """By the names that the spaces give to their genes."""
    for space, kept in ((NatsTopologySpace(), None), (DartsSpace(), 2)):
        edges, names = edge_space_of(space.region, "test"), space.gene_names()
        targets = [{names[edge].split("->")[1] for edge in node} for node in edges.nodes]
        assert [len(target) for target in targets] == [1] * len(targets)
        assert sorted(edge for node in edges.nodes for edge in node) == list(range(len(names)))
        assert {space.choice_name(edge, edges.none) for edge in range(len(names))} == {"none"}
        assert edges.kept == kept
    assert edge_space_of(NatsTopologySpace().region, "test").nodes == ((0,), (1, 2), (3, 4, 5))


def test_other_spaces_are_refused() -> None:
    with pytest.raises(UsageError, match=r"^test: expected .*, got 'nasbench1shot1_2'\. Train a SupernetModule"):
        edge_space_of(NasBench1Shot1Space(2).region, "test")
