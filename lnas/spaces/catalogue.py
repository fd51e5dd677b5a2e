"""Every space by name, and how an architecture is read from any notation."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from lnas.errors import UsageError, complaint, unknown_name
from lnas.reading import read_text
from lnas.spaces.base import SearchSpace
from lnas.spaces.darts.genotypes import GENOTYPES, published_genotype
from lnas.spaces.darts.space import DartsSpace
from lnas.spaces.nasbench101.oneshot import NasBench1Shot1Space
from lnas.spaces.nasbench101.space import NasBench101Space
from lnas.spaces.nats_size import NatsSizeSpace
from lnas.spaces.nats_topology import NatsTopologySpace
from lnas.spaces.nds import NdsResNetSpace, NdsResNeXtASpace
from lnas.types import Arch

SPACES: dict[str, Callable[[], SearchSpace]] = {
    "nats_topology": NatsTopologySpace,
    "nats_size": NatsSizeSpace,
    "nasbench101": NasBench101Space,
    "nasbench1shot1_1": partial(NasBench1Shot1Space, 1),
    "nasbench1shot1_2": partial(NasBench1Shot1Space, 2),
    "nasbench1shot1_3": partial(NasBench1Shot1Space, 3),
    "darts": DartsSpace,
    "nds_resnet": NdsResNetSpace,
    "nds_resnext_a": NdsResNeXtASpace,
}

_EXPECTED = "SPACE:GENES, the notation of a benchmark or the name of a published genotype"
_IDENTITY = re.compile(r"([A-Za-z][\w-]*):([0-9]{1,9}(?:-[0-9]{1,9})*)")
_WORD = re.compile(r"\w{1,60}")
# How a notation begins, so that the right space says what is wrong with it.
_BEGINNINGS = {
    r"Genotype\(": "darts",
    r"\|": "nats_topology",
    r"\d+:": "nats_size",
    r'\{.*"module_adjacency"': "nasbench101",
    r'\{.*"bot_muls": *\[\d': "nds_resnext_a",
    r'\{.*"ds"': "nds_resnet",
}


def read_arch(text: str, space: SearchSpace | None = None) -> tuple[SearchSpace, Arch]:
    """Read an architecture as people write it.

    Args:
        text: `SPACE:GENES` as in stores and logs, the benchmark's own notation, or the name of a published genotype.
        space: Where it is from; needed for a space that is not ours, or where two could have written the text.

    Returns:
        The space and the architecture.

    Raises:
        UsageError: If no space can read the text, or more than one can.

    Example:
        >>> space, arch = read_arch("nats_size:7-0-1-2-3")
        >>> space.format(arch)
        '64:8:16:24:32'
        >>> read_arch("64:8:16:24:32")[1] == arch
        True
    """
    text = read_text("architecture", text, "Example: nats_topology:3-1-2-0-4-3.")
    if identity := _IDENTITY.fullmatch(text):
        name, genes = identity.groups()
        known = {each.name: each for each in ([space] if space else _all())}
        if name in known:
            arch = Arch(name, tuple(map(int, genes.split("-"))))
            known[name].validate(arch)
            return known[name], arch
        if space is None:
            raise UsageError(f"architecture {text!r}: {unknown_name('space', name, known)}")
        if name in SPACES:
            raise UsageError(complaint(f"architecture {text!r}", f"one of {space.name!r}", name, "Name its own space."))
    if space is None or isinstance(space, DartsSpace):
        if text in GENOTYPES:
            return DartsSpace(), published_genotype(text)
        if _WORD.fullmatch(text):
            raise UsageError(f"architecture {text!r}: {unknown_name('genotype', text, GENOTYPES)}")
    return (space, space.parse(text)) if space else _read_notation(text)


def _all() -> list[SearchSpace]:
    return [make() for make in SPACES.values()]


def _read_notation(text: str) -> tuple[SearchSpace, Arch]:
    """Read what one space, and only one, can read."""
    readings = [(space, reading) for space in _all() if (reading := _parsed(space, text))]
    if len(readings) == 1:
        return readings[0]
    if readings:
        names = ", ".join(space.name for space, _ in readings)
        raise UsageError(complaint(f"architecture {text!r}", "a notation of one space", names, "Name the space, too."))
    for beginning, name in _BEGINNINGS.items():
        if re.match(beginning, text, re.DOTALL):
            SPACES[name]().parse(text)
    step = f"Name the space to see what is wrong with it. Spaces: {', '.join(SPACES)}."
    raise UsageError(complaint("architecture", _EXPECTED, text, step))


def _parsed(space: SearchSpace, text: str) -> Arch | None:
    try:
        return space.parse(text)
    except UsageError:
        return None
