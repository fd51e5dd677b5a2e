from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.spaces.darts.genotypes import published_genotype
from lnas.spaces.darts.notation import EDGES, OPS, format_genotype, inputs_of, split_cells
from lnas.spaces.darts.space import DartsSpace

SPACE = DartsSpace()
NORMAL = (
    "[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('skip_connect', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('dil_conv_3x3', 2)]"
)
REDUCE = (
    "[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('max_pool_3x3', 1), ('skip_connect', 2), "
    "('max_pool_3x3', 0), ('skip_connect', 2), ('max_pool_3x3', 1), ('skip_connect', 2)]"
)
GOOD = f"Genotype(normal={NORMAL}, normal_concat=[2, 3, 4, 5], reduce={REDUCE}, reduce_concat=[2, 3, 4, 5])"


def test_edges_of_a_cell_are_those_of_darts():
    assert [EDGES.index((0, target)) for target in range(2, 6)] == [0, 2, 5, 9]
    assert len(EDGES) == 14
    assert OPS[0] == "none"


def test_inputs_of_a_node_come_by_source():
    normal, reduce = split_cells(SPACE.parse(GOOD).genes)
    assert inputs_of(normal)[3] == [(OPS.index("skip_connect"), 0), (OPS.index("dil_conv_3x3"), 2)]
    assert format_genotype(normal, reduce) == GOOD


def test_notation_is_that_of_darts():
    assert SPACE.parse(GOOD).genes[:14] == (4, 4, 4, 4, 0, 3, 4, 0, 0, 3, 0, 6, 0, 0)
    assert SPACE.parse(GOOD).genes[14:] == (1, 1, 0, 1, 3, 1, 0, 3, 0, 0, 1, 3, 0, 0)
    assert SPACE.format(SPACE.parse(GOOD)) == GOOD
    assert SPACE.parse(GOOD) == published_genotype("DARTS_V2")


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_parse_undoes_format(seed):
    arch = SPACE.sample(np.random.default_rng(seed))
    assert SPACE.parse(SPACE.format(arch)) == arch


def test_inputs_of_a_node_come_in_either_order():
    text = GOOD.replace("('skip_connect', 0), ('dil_conv_3x3', 2)", "('dil_conv_3x3', 2), ('skip_connect', 0)")
    assert text != GOOD
    assert SPACE.parse(text) == SPACE.parse(GOOD)


@pytest.mark.parametrize("outputs", ["range(2, 6)", "(2, 3, 4, 5)", "[2,3,4,5]"])
def test_outputs_may_be_written_in_several_ways(outputs):
    text = GOOD.replace("[2, 3, 4, 5]", outputs)
    assert SPACE.parse(f" {text}\n") == SPACE.parse(GOOD)


def test_parse_wants_text():
    with pytest.raises(UsageError, match=r"expected text, got None\. Example: `Genotype"):
        SPACE.parse(None)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected a genotype `Genotype(normal=["),
        ("Genotype(", "expected a genotype"),
        ("[1, 2]", "expected a genotype"),
        (GOOD.replace("Genotype", "print"), "expected a genotype"),
        (GOOD.replace("Genotype(", "Genotype(1, "), "expected a genotype"),
        (GOOD.replace("'sep_conv_3x3', 0", "__import__('os').name, 0", 1), "expected a genotype"),
        (GOOD.replace("[2, 3, 4, 5]", "range(2, 'x')"), "expected a genotype"),
        (GOOD + "+1", "expected a genotype"),
        (GOOD + "\0", "expected a genotype"),
        ("(" * 100_000, "expected a genotype"),
        (
            GOOD.replace("normal_concat=[2, 3, 4, 5], ", ""),
            "expected the fields ['normal', 'normal_concat', 'reduce', ",
        ),
        (GOOD.replace("reduce=", "more="), "got ['normal', 'normal_concat', 'more', 'reduce_concat']"),
        (GOOD.replace("reduce_concat=", "normal_concat="), "expected the fields"),
        (GOOD.replace("reduce=", "**"), "expected the fields"),
        (
            GOOD.replace("reduce_concat=[2, 3, 4, 5]", "reduce_concat=[4, 5, 6]"),
            "expected reduce_concat=[2, 3, 4, 5], the output of all four nodes, got [4, 5, 6]",
        ),
        (GOOD.replace("[2, 3, 4, 5]", "range(2, 10**9)"), "expected a genotype"),
        (
            GOOD.replace("[2, 3, 4, 5]", "range(2, 9999999999)"),
            "the output of all four nodes, got range(2, 9999999999)",
        ),
        (GOOD.replace("[2, 3, 4, 5]", "5"), "the output of all four nodes, got 5"),
        (GOOD.replace(REDUCE, "[]"), "expected 8 pairs (operation, source) in reduce, got []"),
        (GOOD.replace(REDUCE, "'abcdefgh'"), "expected 8 pairs (operation, source) in reduce, got 'abcdefgh'"),
        (
            GOOD.replace("('dil_conv_3x3', 2)", "'dil_conv_3x3'"),
            "pairs (operation, source) in normal, got 'dil_conv_3x3'",
        ),
        (GOOD.replace("dil_conv_3x3", "conv_7x1"), f"operations of {', '.join(OPS[1:])} in normal, got 'conv_7x1'"),
        (GOOD.replace("dil_conv_3x3", "none"), "in normal, got 'none'. Example: ('sep_conv_3x3', 4)"),
        (GOOD.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 5)"), "a source of 0..4 for node 5 in normal, got 5"),
        (GOOD.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', -1)"), "a source of 0..4 for node 5 in normal, got -1"),
        (GOOD.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', True)"), "for node 5 in normal, got True"),
        (GOOD.replace("('dil_conv_3x3', 2)", "('dil_conv_3x3', 0)"), "two sources of node 5 in normal, got (0, 0)"),
    ],
)
def test_parse_names_what_is_wrong(text, complaint):
    with pytest.raises(UsageError) as caught:
        SPACE.parse(text)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(f"DartsSpace.parse({text!r})"[:150])
