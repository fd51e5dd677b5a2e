from __future__ import annotations

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.spaces import Decision, ProductSpace
from lnas.testing import TinySpace
from lnas.types import Arch


class Widths(ProductSpace):
    name = "widths"

    def __init__(self, decisions, separator=":"):
        self._decisions, self.separator = decisions, separator

    @property
    def decisions(self):
        return self._decisions


@pytest.mark.parametrize("choices", [(), ("8", "8"), ("8", ""), ("8", " 16"), ("8", 16), "816", None, {"8": 16}])
def test_labels_are_different_words(choices):
    with pytest.raises(UsageError) as caught:
        Decision("first layer", choices)
    assert str(caught.value).startswith("Decision('first layer', ...): expected labels, at least one, all different")
    assert f"got {choices!r}. Example: " in str(caught.value)


def test_lists_will_do():
    assert Decision("width", ["8", "16"]) == Decision("width", ("8", "16"))
    space = Widths([Decision("first layer", ["8", "16"]), Decision("second layer", ["8", "16"])])
    arch = space.sample(np.random.default_rng(0))
    assert space.parse(space.format(arch)) == arch
    assert len(list(space.classes())) == space.size == 4


@pytest.mark.parametrize(
    ("separator", "words"),
    [
        (":", "decision 'ratio': expected labels without the separator ':', got '1:2'"),
        ("", "decision 'ratio': expected labels of one character, got '1:2'"),
    ],
)
def test_labels_that_cannot_be_told_apart_are_refused(separator, words):
    space = Widths((Decision("width", ("8", "9")), Decision("ratio", ("1", "1:2"))), separator)
    for use in (lambda: space.parse("8:1"), lambda: space.format(Arch("widths", (0, 0)))):
        with pytest.raises(UsageError) as caught:
            use()
        assert words in str(caught.value)
    assert Widths(space.decisions, "-").parse("9-1:2").genes == (1, 1)


def test_where_nothing_can_be_chosen_nothing_can_be_mutated():
    space = Widths((Decision("width", ("8",)), Decision("depth", ("1",))))
    arch = space.sample(np.random.default_rng(0))
    assert list(space.neighbors(arch)) == []
    with pytest.raises(UsageError, match=r"mutate.* a decision of two choices, got 'widths:0-0'. There is nothing"):
        space.mutate(arch, np.random.default_rng(0))


def test_parse_wants_text():
    with pytest.raises(UsageError, match=r"TinySpace.parse\(101\): expected text, got 101. Example: 111."):
        TinySpace().parse(101)


@pytest.mark.parametrize("other", [Arch("tiny", (0, 0)), Arch("large", (0, 0, 0)), Arch("tiny", (0, 0, 2))])
def test_distance_is_between_architectures_of_the_space(other):
    arch = Arch("tiny", (0, 0, 0))
    for pair in ((arch, other), (other, arch)):
        with pytest.raises(UsageError, match="space 'tiny': expected"):
            TinySpace().distance(*pair)
