from __future__ import annotations

import bz2
import collections
import contextlib
import os
import pickle
import struct
import sys
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.benchmarks.nats.pickles import load_plain
from lnas.errors import UsageError

quickly = settings(deadline=None, max_examples=50)
PROTOCOL = b"\x80\x04"
SINGLE = st.none() | st.booleans() | st.integers(-(2**31), 2**31 - 1) | st.floats(allow_nan=False) | st.text()
KEYS = st.text() | st.integers(0, 999) | st.tuples(st.text(), st.integers(0, 999))
PLAIN = st.recursive(SINGLE, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner), max_leaves=20)


def packed(value, protocol: int = 4) -> bytes:
    return bz2.compress(pickle.dumps(value, protocol=protocol))


def complaint_of(content: bytes) -> str:
    with pytest.raises(UsageError) as caught:
        load_plain(content, "x.pbz2")
    text = str(caught.value)
    assert text.startswith("NATS-Bench file 'x.pbz2': expected ")
    assert "\n" not in text
    return text


class Calls:
    """What unpickles by calling a function."""

    def __init__(self, function, *arguments) -> None:
        self.calling = function, arguments

    def __reduce__(self):
        return self.calling


@quickly
@given(PLAIN)
def test_plain_data_is_read_as_pickle_reads_it(value):
    assert load_plain(packed(value), "x") == value


@pytest.mark.parametrize("number", [np.float64(0.1), np.float32(0.5), np.int64(-(2**40)), np.int32(7)])
def test_numpy_numbers_become_plain_ones(number):
    read = load_plain(packed([number, number]), "x")
    assert read == [number, number]
    assert {type(item) for item in read} <= {float, int}


def test_the_older_name_of_a_numpy_number_is_known_too():
    older = pickle.dumps(np.float64(0.1), protocol=4).replace(b"\x8c\x16numpy._core.", b"\x8c\x15numpy.core.")
    assert b"numpy.core.multiarray" in older
    assert load_plain(bz2.compress(older), "x") == 0.1


def test_ordered_dictionaries_become_plain_ones():
    read = load_plain(packed(collections.OrderedDict(b=1, a=2)), "x")
    assert type(read) is dict
    assert list(read.items()) == [("b", 1), ("a", 2)]


@pytest.mark.data
def test_official_files_are_read_as_pickle_reads_them(data_root):
    files = sorted((data_root / "nb201" / "official_samples").glob("*/*.pbz2"))
    assert len(files) == 8
    for file in files:
        content = file.read_bytes()
        assert load_plain(content, file.name) == pickle.loads(bz2.decompress(content))


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("wrap", [lambda payload: payload, lambda payload: {"12": {"params": [payload]}}])
def test_nothing_runs(tmp_path, protocol, wrap):
    marker = tmp_path / "it ran"
    content = packed(wrap(Calls(os.system, f"touch '{marker}'")), protocol)
    complaint_of(content)
    assert not marker.exists()
    pickle.loads(bz2.decompress(content))
    assert marker.exists()


RECONSTRUCT = f"{np.ones(1).__reduce__()[0].__module__}._reconstruct"  # NumPy 2 moved it


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Calls(os.system, "true"), "posix.system"),
        (Calls(eval, "1"), "builtins.eval"),
        (Calls(getattr, "x", "upper"), "builtins.getattr"),
        (np.array([1.0]), RECONSTRUCT),
        (np.array([Calls(eval, "1")], dtype=object), RECONSTRUCT),
        (np.zeros, "numpy.zeros"),
        (complex(1, 2), "builtins.complex"),
        (b"x" * 300, "BINBYTES"),
        (2**40, "LONG1"),
        (frozenset({1}), "FROZENSET"),
    ],
)
def test_what_a_file_asks_for_is_named(value, named):
    text = complaint_of(packed(value))
    assert f"expected numbers, texts and containers only, got '{'the name ' * ('.' in named)}" in text
    assert named in text
    assert text.endswith("Nothing of it was run; do not trust the file.")


def test_what_a_file_names_is_not_imported():
    assert "antigravity" not in sys.modules
    assert "the name antigravity.geohash" in complaint_of(assembled(named("antigravity", "geohash")))
    assert "antigravity" not in sys.modules


def assembled(*parts: bytes) -> bytes:
    return bz2.compress(PROTOCOL + b"".join(parts) + b".")


def text(value: str) -> bytes:
    return b"\x8c" + bytes([len(value)]) + value.encode()


def named(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


DTYPE = named("numpy", "dtype")
SCALAR = named("numpy.core.multiarray", "scalar")
ORDERED = named("collections", "OrderedDict")
F8 = DTYPE + text("f8") + b"K\x00K\x01\x87R"
STATE = b"(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
EIGHT = b"C\x08" + struct.pack("<d", 0.1)


def test_the_parts_of_a_number_are_put_together_here():
    assert load_plain(assembled(SCALAR, F8, STATE, EIGHT, b"\x86R"), "x") == 0.1


@pytest.mark.parametrize(
    ("parts", "got"),
    [
        ([SCALAR, DTYPE, text("O8"), b"K\x00K\x01\x87R", text("x"), b"\x86R"], "a call of numpy.dtype"),
        ([SCALAR, DTYPE, text("V8"), b"K\x00K\x01\x87R", EIGHT, b"\x86R"], "a call of numpy.dtype"),
        ([F8, STATE.replace(b"K\x00tb", b"K\x3ftb")], "the state of an object"),
        ([F8, STATE.replace(b"<", b">")], "the state of an object"),
        ([ORDERED, b")R", b"}", text("items"), b"K\x01sb"], "the state of an object"),
        ([ORDERED, b"}", text("x"), b"K\x01sb"], "the state of an object"),
        ([ORDERED, b"](K\x01K\x02e\x86R"], "a tuple that is long or nested"),
        ([ORDERED, text("x"), text("y"), b"\x86R"], "a call of collections.OrderedDict"),
        ([SCALAR, F8, text("12345678"), b"\x86R"], "a call of numpy.core.multiarray.scalar"),
        ([text("x"), b")R"], "a call of something else"),
        ([b"K\x01K\x02\x93"], "the name no text"),
        ([b"cos\nsystem\n"], "instruction GLOBAL"),
        ([b"(ios\nsystem\n"], "instruction INST"),
        ([b")\x81"], "instruction NEWOBJ"),
        ([b"\x82\x01"], "instruction EXT1"),
        ([b"Pname\n"], "instruction PERSID"),
        ([b"Nr\xff\xff\xff\x7f"], "instruction LONG_BINPUT"),
        ([b"\xfe"], "instruction 0xfe"),
    ],
)
def test_crafted_instructions_are_refused(parts, got):
    assert f"got '{got}'" in complaint_of(assembled(*parts))


@pytest.mark.parametrize(
    ("program", "got"),
    [
        (b"(" * 600_000, "more than 500,000 instructions"),
        (b"\x8f" * 2_000, "more than 1,000 containers"),
        (b"(" + ORDERED + b"\x94" + b")Rh\x00" * 2_000, "more than 1,000 containers"),
        (b"K\x01" + b"K\x01\x86" * 100, "a tuple that is long or nested"),
        (b"(" + b"N" * 9 + b"t", "a tuple that is long or nested"),
        (b"]\x94h\x00a", "a container that is used twice"),
        (b"]\x94j\x00\x00\x00\x00a", "a container that is used twice"),
    ],
)
def test_a_small_file_cannot_become_large_deep_or_circular(program, got):
    assert f"got '{got}'" in complaint_of(assembled(program))


def test_a_decompression_bomb_is_not_unpacked(monkeypatch):
    bomb = bz2.compress(bytes(2**25))
    assert len(bomb) < 1000
    monkeypatch.setattr("lnas.benchmarks.nats.pickles.MOST_BYTES", 2**20)
    tracemalloc.start()
    try:
        assert "expected at most 1,048,576 bytes unpacked, got 'more'" in complaint_of(bomb)
        assert tracemalloc.get_traced_memory()[1] < 2**23
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "program",
    [
        b"K",
        b"K\x01",
        b".",
        b"\x8c\x05abc",
        b"\x8c\x01\xff.",
        b"X\xff\xff\xff\xffabc.",
        b"G\x00\x00",
        b"e.",
        b"t.",
        b"h\x05.",
        b"}K\x01s.",
        b"}]K\x01s.",
        b"}(K\x01u.",
        b"(K\x01K\x02}u.",
        b"]K\x01K\x02s.",
        b"K\x01K\x01R.",
    ],
)
def test_a_damaged_pickle_is_told_from_a_dangerous_one(program):
    assert "expected a whole pickle, got 'damage at byte " in complaint_of(bz2.compress(PROTOCOL + program))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected whole bz2, got '0 bytes that end early'. Fetch it again."),
        (b"PK\x03\x04 a zip file", r"expected whole bz2, got b'PK\x03\x04 a zip file'. Fetch it again."),
        (packed({"a": 1})[:-5], "bytes that end early'. Fetch it again."),
        (packed({"a": 1})[:20] + bytes(30), "expected whole bz2, got"),
        (bz2.compress(b"{'a': 1}"), "expected a pickle of protocol 4, got b\"{'a': 1}\". Fetch it again."),
        (bz2.compress(b""), "expected a pickle of protocol 4, got b''. Fetch it again."),
        (packed({"a": 1}, protocol=3), "expected a pickle of protocol 4, got b'\\x80\\x03}"),
        (bz2.compress(pickle.dumps({"a": 1}, protocol=4)[:-3]), "expected a whole pickle, got 'damage at byte "),
    ],
)
def test_other_content_is_named(content, expected):
    assert expected in complaint_of(content)


@quickly
@given(st.binary(max_size=60))
def test_no_program_escapes(program):
    with contextlib.suppress(UsageError):
        load_plain(bz2.compress(PROTOCOL + program), "x")


@quickly
@given(st.data())
def test_no_damaged_record_escapes(data):
    record = {"12": {"arch_index": 0, "all_results": {("cifar10", 777): {"params": np.float64(1.5), "seed": "0777"}}}}
    program = bytearray(pickle.dumps(record, protocol=4))
    at = data.draw(st.integers(0, len(program) - 1))
    program[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(UsageError):
        load_plain(bz2.compress(bytes(program)), "x")
