from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.longest_paths import longest_paths

EDGES = [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
LENGTHS = st.lists(st.sampled_from([-np.inf, 0.0, 1.0, 2.0]), min_size=6, max_size=6)


def walked(lengths: dict[tuple[int, int], float], inputs: list[int], node: int) -> float:
    """The longest over all ascending sequences of nodes."""
    found = [-np.inf]
    for start in inputs:
        for count in range(node - start):
            ways = itertools.combinations(range(start + 1, node), count)
            found += [sum(lengths[step] for step in itertools.pairwise((start, *between, node))) for between in ways]
        found += [0.0] if start == node else []
    return max(found)


@settings(deadline=None, max_examples=20)
@given(st.lists(LENGTHS, min_size=1, max_size=3), st.sampled_from([[0], [0, 1]]))
def test_it_is_the_longest_of_all_paths(cells: list[list[float]], inputs: list[int]) -> None:
    found = longest_paths(np.array(cells), EDGES, inputs)
    for cell, row in zip(cells, found, strict=True):
        lengths = dict(zip(EDGES, cell, strict=True))
        assert row.tolist() == [walked(lengths, inputs, node) for node in range(4)]
