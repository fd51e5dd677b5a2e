"""Reading the official pickles without unpickling: nothing is imported, called or run.

A pickle is a program for a small stack machine. This is that machine with the instructions that official files consist
of and no others: numbers, texts, containers, and the three names under which NumPy's numbers and ordered dictionaries
are written, which are recognised here and never looked up. Python's own `Unpickler` with a list of allowed names would
still fill memory from a few bytes, set attributes and build self-referring or very deep objects.
"""

from __future__ import annotations

import bz2
import pickletools
import struct
from collections.abc import Callable
from enum import Enum
from typing import Any

from lnas.errors import UsageError, complaint

MOST_BYTES = 64 * 2**20
"""How large a file may be, packed or unpacked; official ones unpack to 1.4 MB at most."""

_MOST_STEPS = 500_000
_MOST_CONTAINERS = 1_000
_MOST_IN_TUPLE = 8
_PROTOCOL = b"\x80\x04"
_CONTAINERS = (dict, list, set)
_FETCH = "Fetch it again."
_DISTRUST = "Nothing of it was run; do not trust the file."


def load_plain(content: bytes, where: str) -> object:
    """Return what an official file holds: numbers, texts, None, and dicts, lists, sets and tuples of them.

    NumPy's numbers become plain ones, ordered dictionaries plain ones. The result is a tree: nothing in it occurs twice
    but numbers, texts and flat tuples of them.

    Args:
        content: Of the file: a pickle of protocol 4, packed by bz2.
        where: Names the file in errors.

    Raises:
        UsageError: If the content is not bz2, ends early, is no such pickle, asks for anything else than plain data, or
            would unpack to more than `MOST_BYTES`, half a million instructions or a thousand containers.
    """
    call = f"NATS-Bench file {where!r}"
    plain = _unpacked(content, call)
    if not plain.startswith(_PROTOCOL):
        raise UsageError(complaint(call, "a pickle of protocol 4", plain[:16], _FETCH))
    machine = _Machine(plain)
    try:
        return machine.run()
    except _ForbiddenError as error:
        raise UsageError(complaint(call, "numbers, texts and containers only", str(error), _DISTRUST)) from error
    except (LookupError, TypeError, ValueError, struct.error) as error:
        got = f"damage at byte {machine.at:,} of {len(plain):,}"
        raise UsageError(complaint(call, "a whole pickle", got, _FETCH)) from error


def _unpacked(content: bytes, call: str) -> bytes:
    unpacker = bz2.BZ2Decompressor()
    try:
        plain = unpacker.decompress(content, max_length=MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(complaint(call, "whole bz2", content[:16], _FETCH)) from error
    if len(plain) > MOST_BYTES:
        raise UsageError(complaint(call, f"at most {MOST_BYTES:,} bytes unpacked", "more", _DISTRUST))
    if not unpacker.eof:
        raise UsageError(complaint(call, "whole bz2", f"{len(content):,} bytes that end early", _FETCH))
    return plain


class _ForbiddenError(Exception):
    """The pickle asks for what is no plain data."""


class _Name(Enum):
    """What a file may name; none of it is looked up anywhere."""

    ORDERED_DICT = "collections.OrderedDict"
    DTYPE = "numpy.dtype"
    SCALAR = "numpy.core.multiarray.scalar"


_NAMES = {name.value: name for name in _Name} | {"numpy._core.multiarray.scalar": _Name.SCALAR}
_DTYPES = {"f8": struct.Struct("<d"), "f4": struct.Struct("<f"), "i8": struct.Struct("<q"), "i4": struct.Struct("<i")}
_LITTLE_ENDIAN = (3, "<", None, None, None, -1, -1, 0)


class _Machine:
    """The stack, the marks on it, and the memo of what is used again.

    Attributes:
        at: How far the program was read.
    """

    def __init__(self, program: bytes) -> None:
        self.at = 0
        self._program = program
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: list[Any] = []
        self._containers = 0

    def run(self) -> object:
        program, steps = self._program, _STEPS
        for _ in range(_MOST_STEPS):
            code = program[self.at]
            self.at += 1
            if code == _STOP:
                return self._stack.pop()
            if code not in steps:
                raise _ForbiddenError(f"instruction {_instruction(code)}")
            steps[code](self)
        raise _ForbiddenError(f"more than {_MOST_STEPS:,} instructions")

    def _bytes(self, size: int) -> bytes:
        """Read bytes that follow their count; fewer where the file ends, and then the next instruction is missing."""
        start = self.at + size
        self.at = start + int.from_bytes(self._program[self.at : start], "little")
        return self._program[start : self.at]

    def _uint(self, size: int) -> int:
        start, self.at = self.at, self.at + size
        return int.from_bytes(self._program[start : self.at], "little")

    def _since_mark(self) -> list[Any]:
        start = self._marks.pop()
        items = self._stack[start:]
        del self._stack[start:]
        return items

    def _container(self, empty: dict | list | set) -> None:
        self._containers += 1
        if self._containers > _MOST_CONTAINERS:
            raise _ForbiddenError(f"more than {_MOST_CONTAINERS:,} containers")
        self._stack.append(empty)

    def _tuple(self, items: list[Any]) -> None:
        """Push a tuple. Only short ones of single values: deep ones would overflow the stack when they are hashed."""
        if len(items) > _MOST_IN_TUPLE or any(isinstance(item, (*_CONTAINERS, tuple)) for item in items):
            raise _ForbiddenError("a tuple that is long or nested")
        self._stack.append(tuple(items))

    def _top(self, kind: type) -> Any:
        if type(self._stack[-1]) is not kind:
            raise TypeError
        return self._stack[-1]

    def mark(self) -> None:
        self._marks.append(len(self._stack))

    def skip_protocol(self) -> None:
        self.at += 1

    def skip_frame(self) -> None:
        self.at += 8

    def short_text(self) -> None:
        self._stack.append(self._bytes(1).decode())

    def text(self) -> None:
        self._stack.append(self._bytes(4).decode())

    def short_bytes(self) -> None:
        self._stack.append(self._bytes(1))

    def memoize(self) -> None:
        self._memo.append(self._stack[-1])

    def short_get(self) -> None:
        self._get(self._uint(1))

    def get(self) -> None:
        self._get(self._uint(4))

    def _get(self, number: int) -> None:
        value = self._memo[number]
        if isinstance(value, _CONTAINERS):
            raise _ForbiddenError("a container that is used twice")
        self._stack.append(value)

    def set_item(self) -> None:
        value, key = self._stack.pop(), self._stack.pop()
        self._top(dict)[key] = value

    def set_items(self) -> None:
        items = self._since_mark()
        self._top(dict).update(zip(items[::2], items[1::2], strict=True))

    def append(self) -> None:
        item = self._stack.pop()
        self._top(list).append(item)

    def extend(self) -> None:
        items = self._since_mark()
        self._top(list).extend(items)

    def name(self) -> None:
        name, module = self._stack.pop(), self._stack.pop()
        asked = f"{module}.{name}" if isinstance(module, str) and isinstance(name, str) else "no text"
        if asked not in _NAMES:
            raise _ForbiddenError(f"the name {asked}")
        self._stack.append(_NAMES[asked])

    def call(self) -> None:
        """Do what calling one of the names would do, for the arguments that official files have."""
        arguments, name = self._top(tuple), self._stack[-2]
        del self._stack[-2:]
        match (name, *arguments):
            case (_Name.ORDERED_DICT,):
                self._container({})
            case (_Name.DTYPE, str(code), 0, 1) if code in _DTYPES:
                self._stack.append(_DTYPES[code])
            case (_Name.SCALAR, struct.Struct() as number, bytes(packed)):
                self._stack.append(number.unpack(packed)[0])
            case _:
                raise _ForbiddenError(f"a call of {name.value if isinstance(name, _Name) else 'something else'}")

    def build(self) -> None:
        """Check the state of a NumPy dtype; the byte order is all it says, and it is always the same one."""
        state = self._stack.pop()
        if not isinstance(self._stack[-1], struct.Struct) or state != _LITTLE_ENDIAN:
            raise _ForbiddenError("the state of an object")


def _instruction(code: int) -> str:
    return next((op.name for op in pickletools.opcodes if ord(op.code) == code), f"0x{code:02x}")


def _push(value: object) -> Callable[[_Machine], None]:
    return lambda machine: machine._stack.append(value)


def _number(layout: str) -> Callable[[_Machine], None]:
    number = struct.Struct(layout)
    unpack, size = number.unpack_from, number.size

    def step(machine: _Machine) -> None:
        machine._stack.append(unpack(machine._program, machine.at)[0])
        machine.at += size

    return step


def _container(kind: type) -> Callable[[_Machine], None]:
    return lambda machine: machine._container(kind())


def _last(count: int) -> Callable[[_Machine], None]:
    return lambda machine: machine._tuple([machine._stack.pop() for _ in range(count)][::-1])


_BY_NAME: dict[str, Callable[[_Machine], None]] = {
    "PROTO": _Machine.skip_protocol,
    "FRAME": _Machine.skip_frame,
    "MARK": _Machine.mark,
    "NONE": _push(None),
    "NEWTRUE": _push(True),
    "NEWFALSE": _push(False),
    "BININT": _number("<i"),
    "BININT1": _number("<B"),
    "BININT2": _number("<H"),
    "BINFLOAT": _number(">d"),
    "SHORT_BINUNICODE": _Machine.short_text,
    "BINUNICODE": _Machine.text,
    "SHORT_BINBYTES": _Machine.short_bytes,
    "MEMOIZE": _Machine.memoize,
    "BINGET": _Machine.short_get,
    "LONG_BINGET": _Machine.get,
    "EMPTY_DICT": _container(dict),
    "EMPTY_LIST": _container(list),
    "EMPTY_SET": _container(set),
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.extend,
    "EMPTY_TUPLE": _last(0),
    "TUPLE2": _last(2),
    "TUPLE3": _last(3),
    "TUPLE": lambda machine: machine._tuple(machine._since_mark()),
    "STACK_GLOBAL": _Machine.name,
    "REDUCE": _Machine.call,
    "BUILD": _Machine.build,
}
_STEPS = {ord(op.code): _BY_NAME[op.name] for op in pickletools.opcodes if op.name in _BY_NAME}
_STOP = ord(".")
