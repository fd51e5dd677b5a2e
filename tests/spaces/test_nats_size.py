from __future__ import annotations

import pickle
from bz2 import BZ2File

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.spaces.nats_size import WIDTHS, NatsSizeSpace
from lnas.types import Arch

SPACE = NatsSizeSpace()
GENES = st.tuples(*[st.integers(0, 7)] * 5)


def test_size_is_the_published_one():
    assert SPACE.size == SPACE.class_count == 32_768


@settings(deadline=None, max_examples=50)
@given(GENES)
def test_widths_are_eight_times_the_gene_plus_one(genes):
    arch = Arch("nats_size", genes)
    assert SPACE.widths(arch) == tuple(8 * (gene + 1) for gene in genes)
    assert SPACE.format(arch) == ":".join(str(8 * (gene + 1)) for gene in genes)
    assert SPACE.parse(SPACE.format(arch)) == arch


def test_the_example_of_the_notation():
    assert SPACE.parse("64:8:16:24:32").genes == (7, 0, 1, 2, 3)


@pytest.mark.parametrize(
    ("text", "expected", "got"),
    [
        ("64:8:16:24", "5 values joined by ':'", "got '64:8:16:24'"),
        ("64:8:16:24:32:8", "5 values joined by ':'", "got '64:8:16:24:32:8'"),
        ("64:8:20:24:32", "width of cell 2 of 8, 16, 24, 32, 40, 48, 56, 64", "got '20'"),
        ("64:72:16:24:32", "width of reduction 1 of 8, 16, ", "got '72'"),
        ("", "5 values", "got ''"),
    ],
)
def test_what_is_no_architecture_is_refused_by_name(text, expected, got):
    with pytest.raises(UsageError) as refusal:
        SPACE.parse(text)
    assert expected in str(refusal.value)
    assert got in str(refusal.value)
    assert "Example: 64:64:64:64:64." in str(refusal.value)


def test_parse_wants_text():
    with pytest.raises(UsageError, match=r"expected text, got None\. Example: 64:64:64:64:64"):
        SPACE.parse(None)


def test_neighbors_change_one_width():
    widths = [SPACE.widths(arch) for arch in SPACE.neighbors(SPACE.parse("8:8:8:8:64"))]
    assert len(widths) == 5 * 7
    assert widths[:7] == [(width, 8, 8, 8, 64) for width in WIDTHS[1:]]


def test_every_width_is_drawn_as_often():
    rng = np.random.default_rng(0)
    genes = np.array([SPACE.sample(rng).genes for _ in range(3200)])
    for layer in range(5):
        assert np.bincount(genes[:, layer], minlength=8) == pytest.approx(400, abs=90)


@pytest.mark.data
def test_classes_are_in_the_order_of_the_benchmark(data_root):
    path = data_root / "nb201" / "official_samples" / "NATS-sss-v1_0-50262-simple" / "meta.pickle.pbz2"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    published = pickle.load(BZ2File(path))["meta_archs"]
    assert [SPACE.format(arch) for arch in SPACE.classes()] == list(published)
