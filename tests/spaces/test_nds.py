from __future__ import annotations

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.spaces.nds import NdsResNetSpace, NdsResNeXtASpace
from lnas.types import Arch

RESNET, RESNEXT = NdsResNetSpace(), NdsResNeXtASpace()
SPACES = (RESNET, RESNEXT)
# Records of the published sweeps, as the documentation of NNI's benchmark queries shows them.
RESNET_RECORD = '{"ds": [1, 12, 12, 12], "ss": [1, 1, 2, 2], "ws": [16, 24, 24, 40]}'
RESNEXT_RECORD = (
    '{"bot_muls": [0.0, 0.25, 0.25, 0.25], "ds": [1, 16, 1, 4], "num_gs": [1, 2, 1, 2], '
    '"ss": [1, 1, 2, 2], "ws": [16, 64, 128, 16]}'
)
quickly = settings(deadline=None, max_examples=50)


def archs(space):
    return st.tuples(*(st.sampled_from(allowed) for allowed in space.region.choices)).map(
        lambda genes: Arch(space.name, genes)
    )


def changed(record: str, **values: object) -> str:
    return json.dumps(json.loads(record) | values)


def test_sizes_are_the_published_ones():
    assert RESNET.size == RESNET.class_count == 1_259_712
    assert RESNEXT.size == RESNEXT.class_count == 11_390_625


def test_a_published_resnet():
    arch = RESNET.parse(RESNET_RECORD)
    assert arch.genes == (6, 6, 6, 1, 1, 3)
    assert (RESNET.depths(arch), RESNET.widths(arch)) == ((12, 12, 12), (24, 24, 40))
    assert json.loads(RESNET.format(arch)) == json.loads(RESNET_RECORD)


def test_a_published_resnext():
    arch = RESNEXT.parse(RESNEXT_RECORD)
    assert arch.genes == (4, 0, 2, 2, 3, 0, 0, 0, 0, 1, 0, 1)
    assert (RESNEXT.depths(arch), RESNEXT.widths(arch)) == ((16, 1, 4), (64, 128, 16))
    assert (RESNEXT.ratios(arch), RESNEXT.groups(arch)) == ((0.25, 0.25, 0.25), (2, 1, 2))
    assert RESNEXT.bottleneck_widths(arch) == (16, 32, 4)
    assert json.loads(RESNEXT.format(arch)) == json.loads(RESNEXT_RECORD)


def test_what_else_a_record_holds_is_taken():
    whole = changed(RESNET_RECORD, block_type="res_basic_block", bot_muls=[], num_gs=None)
    assert RESNET.parse(whole) == RESNET.parse(RESNET_RECORD)
    assert RESNEXT.parse(changed(RESNEXT_RECORD, block_type="res_bottleneck_block")) == RESNEXT.parse(RESNEXT_RECORD)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
@quickly
@given(data=st.data())
def test_parse_undoes_format(space, data):
    arch = data.draw(archs(space))
    assert space.parse(space.format(arch)) == arch


@quickly
@given(archs(RESNEXT))
def test_genes_go_field_by_field(arch):
    fields = (RESNEXT.depths(arch), RESNEXT.widths(arch), RESNEXT.ratios(arch), RESNEXT.groups(arch))
    choices = ((1, 2, 4, 8, 16), (16, 32, 64, 128, 256), (0.25, 0.5, 1.0), (1, 2, 4))
    assert arch.genes == tuple(
        values.index(value) for field, values in zip(fields, choices, strict=True) for value in field
    )


def test_groups_divide_every_bottleneck():
    genes = itertools.product(range(5), range(3), range(3))
    for width, ratio, groups in genes:
        arch = Arch(RESNEXT.name, (0, 0, 0, *[width] * 3, *[ratio] * 3, *[groups] * 3))
        for inner, number in zip(RESNEXT.bottleneck_widths(arch), RESNEXT.groups(arch), strict=True):
            assert inner >= number
            assert inner % number == 0


@pytest.mark.parametrize(
    ("values", "expected", "got"),
    [
        ({"ds": [1, 12, 5, 12]}, "a depth of stage 2 in 1, 2, 3, 4, 6, 8, 12, 16, 24", "got 5"),
        ({"ws": [16, 24, 24, "40"]}, "a width of stage 3 in 16, 24, ", "got '40'"),
        ({"ws": [16, True, 24, 40]}, "a width of stage 1", "got True"),
        ({"ds": [12, 12, 12]}, "'ds' to be a list: depth of stem, of stage 1, 2, 3", "got [12, 12, 12]"),
        ({"ds": None}, "'ds' to be a list: depth", "got None"),
        ({"ws": [24, 24, 24, 40]}, "'ws' to begin with 16", "got 24"),
        ({"ss": [1, 2, 2, 2]}, "'ss' to be [1, 1, 2, 2]", "got [1, 2, 2, 2]"),
        ({"bot_muls": [0.0, 0.5, 0.5, 0.5]}, "no key but ds, ws, ss, block_type", "got 'bot_muls'"),
        ({"ss": [True, True, 2, 2]}, "'ss' to be [1, 1, 2, 2]", "got [True, True, 2, 2]"),
        ({"block_type": "double_plain_block"}, "begins with 'res_basic'", "got 'double_plain_block'"),
    ],
)
def test_what_is_no_architecture_is_refused_by_name(values, expected, got):
    with pytest.raises(UsageError) as refusal:
        RESNET.parse(changed(RESNET_RECORD, **values))
    assert expected in str(refusal.value)
    assert got in str(refusal.value)
    assert 'Example: {"ds": [1, 24, 24, 24], "ws": [16, 256, 256, 256], "ss": [1, 1, 2, 2]}.' in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["", "?", "[]", "3", RESNET_RECORD + "?", '{"ds": [1, 12, 12, 12]}', "[" * 3000, None, b"{}"]
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(UsageError, match="Example"):
        RESNET.parse(text)


def test_fields_are_named_where_one_is_missing():
    record = json.loads(RESNEXT_RECORD)
    del record["num_gs"]
    with pytest.raises(UsageError, match="object with ds and ws and bot_muls and num_gs and ss, got"):
        RESNEXT.parse(json.dumps(record))


def test_an_unknown_field_is_named():
    with pytest.raises(UsageError, match=r"unknown field 'num_gs'.* Known: ds, ws"):
        RESNET.values(RESNET.parse(RESNET_RECORD), "num_gs")
