from __future__ import annotations

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.spaces import (
    SPACES,
    DartsSpace,
    Decision,
    NasBench1Shot1Space,
    NatsSizeSpace,
    NatsTopologySpace,
    ProductSpace,
    published_genotype,
    read_arch,
)
from lnas.types import Arch


class Layers(ProductSpace):
    name = "two-layers"
    decisions = (Decision("kind", ("conv", "pool")), Decision("width", ("8", "16")))


CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|"


@pytest.mark.parametrize("name", SPACES)
def test_identities_are_read(name):
    space = SPACES[name]()
    arch = space.sample(np.random.default_rng(0))
    for read in (read_arch(str(arch)), read_arch(f" {arch}\n", space)):
        assert (type(read[0]), read[1]) == (type(space), arch)


@pytest.mark.parametrize("text", ["two-layers:0-1", "conv:16", " conv:16 "])
def test_a_space_of_ones_own_reads_its_identities_and_its_notation(text):
    assert read_arch(text, Layers())[1] == Arch("two-layers", (0, 1))


@pytest.mark.parametrize("space", [None, DartsSpace()])
def test_published_genotypes_are_read_by_name(space):
    found, arch = read_arch(" DARTS_V2 ", space)
    assert isinstance(found, DartsSpace)
    assert arch == published_genotype("DARTS_V2")


@pytest.mark.parametrize(
    ("text", "space", "words"),
    [
        ("DARTS_V2", NatsTopologySpace(), "NatsTopologySpace.parse('DARTS_V2'): expected three nodes"),
        ("DARTS_V3", None, "unknown genotype 'DARTS_V3'. Did you mean 'DARTS_V2'?"),
        ("DARTS_V3", DartsSpace(), "unknown genotype 'DARTS_V3'. Did you mean 'DARTS_V2'?"),
        ("nats_sise:1-2-3-4-5", None, "unknown space 'nats_sise'. Did you mean 'nats_size'?"),
        ("two-layers:0-1", None, "unknown space 'two-layers'"),
        ("darts:1", NatsSizeSpace(), "expected one of 'nats_size', got 'darts'. Name its own space."),
        ("nasbench1shot1_1:0-0-0-0-0-0-0", NasBench1Shot1Space(2), "expected one of 'nasbench1shot1_2', got 'nasb"),
        ("nats_size:9-0-0-0-0", None, "expected gene 0 (width of cell 1) in 0..7, got 9"),
        ("nats_size:" + "1" * 5000, None, "expected SPACE:GENES"),
        ("64:8:16:24:33", None, "expected width of cell 3 of 8, 16, 24, 32, 40, 48, 56, 64, got '33'"),
        ("64:8", None, "NatsSizeSpace.parse('64:8'): expected 5 values"),
        (CELL + "|", None, "NatsTopologySpace.parse("),
        (CELL.replace("none", "nine"), None, "got 'nine'"),
        ("Genotype(normal=[])", None, "DartsSpace.parse('Genotype(normal=[])'): expected the fields"),
        ('{"module_adjacency": []}', None, "NasBench101Space.parse("),
        ('{"ds": [1, 5, 1, 1], "ws": [], "ss": [1, 1, 2, 2], "bot_muls": []}', None, "NdsResNetSpace.parse("),
        ('{"ds": [1, 5, 1, 1], "bot_muls": [0.0]}', None, "NdsResNeXtASpace.parse("),
        ("{}", None, "expected SPACE:GENES, the notation of a benchmark or the name of a published genotype, got '{}'"),
        ("", None, "expected SPACE:GENES"),
        (None, None, "architecture: expected text, got None. Example: nats_topology:3-1-2-0-4-3."),
    ],
)
def test_what_cannot_be_read_is_refused_by_who_knows_best(text, space, words):
    with pytest.raises(UsageError) as caught:
        read_arch(text, space)
    assert words in str(caught.value)
    assert len(str(caught.value)) < 2000
