from __future__ import annotations

import ast
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.benchmarks.nasbench301.encoding import ABSENT, encode, parameters
from lnas.errors import UsageError
from lnas.spaces import DartsSpace
from lnas.types import Arch

SPACE = DartsSpace()
OFFSETS = {2: 0, 3: 2, 4: 5, 5: 9}
quickly = settings(deadline=None, max_examples=50)
archs = st.integers(0, 2**32 - 1).map(lambda seed: SPACE.sample(np.random.default_rng(seed)))


def published_parameters(arch: Arch) -> dict[str, str]:
    """The parameters by the published rule: from a genotype's lists of (operation, input)."""
    call = ast.parse(SPACE.format(arch), mode="eval").body
    cells = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    named = {}
    for cell in ("normal", "reduce"):
        for node, offset in OFFSETS.items():
            inputs = cells[cell][2 * (node - 2) : 2 * (node - 1)]
            named |= {f"edge_{cell}_{offset + source}": op for op, source in inputs}
            if node > 2:
                named[f"inputs_node_{cell}_{node}"] = "_".join(str(source) for source in sorted(s for _, s in inputs))
    return named


def in_words(choices: np.ndarray) -> dict[str, str]:
    pairs = zip(parameters(), choices.tolist(), strict=True)
    return {parameter.name: parameter.choices[choice] for parameter, choice in pairs if choice != ABSENT}


@quickly
@given(arch=archs)
def test_the_choices_are_those_of_the_published_rule(arch):
    assert in_words(encode([arch])[0]) == published_parameters(arch)


@quickly
@given(drawn=st.lists(archs, max_size=5))
def test_many_are_encoded_as_each_alone(drawn):
    together = encode(drawn)
    assert together.shape == (len(drawn), 34)
    assert together.tolist() == [encode([arch])[0].tolist() for arch in drawn]


def test_every_pair_of_inputs_has_its_own_choice():
    for node, offset in list(OFFSETS.items())[1:]:
        seen = []
        for pair in itertools.combinations(range(node), 2):
            genes = [3, 3, 3, 3, 0, 3, 3, 0, 0, 3, 3, 0, 0, 0] * 2
            genes[offset : offset + node] = [4 if source in pair else 0 for source in range(node)]
            seen.append(int(encode([Arch("darts", tuple(genes))])[0, 28 + node - 3]))
        assert seen == list(range(node * (node - 1) // 2))


def test_choices_are_in_the_order_of_the_configuration_space():
    known = dict(parameters())
    assert known["edge_reduce_7"] == (
        "max_pool_3x3",
        "avg_pool_3x3",
        "skip_connect",
        "sep_conv_3x3",
        "sep_conv_5x5",
        "dil_conv_3x3",
        "dil_conv_5x5",
    )
    assert known["inputs_node_normal_4"] == ("0_1", "0_2", "0_3", "1_2", "1_3", "2_3")
    assert len(known) == 34


def test_what_is_of_another_space_is_refused():
    with pytest.raises(UsageError, match="expected an arch of 'darts', got 'nats_size:0-0-0-0-0'"):
        encode([Arch("nats_size", (0,) * 5)])


def test_a_text_in_place_of_an_architecture_is_refused():
    with pytest.raises(UsageError, match=r"expected an Arch, got 'darts'\. .*space\.parse"):
        encode(["darts"])
