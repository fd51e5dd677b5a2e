"""Every space by name, and how an architecture is read from any notation."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from lnas.errors import UsageError, complaint
from lnas.spaces.base import SearchSpace
from lnas.spaces.darts import DartsSpace
from lnas.spaces.genotypes import GENOTYPES, published_genotype
from lnas.spaces.nasbench1shot1 import NasBench1Shot1Space
from lnas.spaces.nasbench101 import NasBench101Space
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
    spaces = [space] if space else [make() for make in SPACES.values()]
    identity = re.fullmatch(r"(\w+):(\d+(?:-\d+)*)", text.strip())
    if identity:
        for known in spaces:
            if known.name == identity.group(1):
                arch = Arch(known.name, tuple(map(int, identity.group(2).split("-"))))
                known.validate(arch)
                return known, arch
    if text in GENOTYPES:
        return DartsSpace(), published_genotype(text)
    if space:
        return space, space.parse(text)
    readings = [(known, reading) for known in spaces if (reading := _parsed(known, text))]
    if len(readings) == 1:
        return readings[0]
    if readings:
        names = ", ".join(known.name for known, _ in readings)
        raise UsageError(complaint(f"architecture {text!r}", "a notation of one space", names, "Name the space, too."))
    raise UsageError(
        complaint(
            "architecture",
            "SPACE:GENES, the notation of a benchmark or the name of a published genotype",
            text,
            f"Name the space to see what is wrong with it. Spaces: {', '.join(SPACES)}.",
        )
    )


def _parsed(space: SearchSpace, text: str) -> Arch | None:
    try:
        return space.parse(text)
    except UsageError:
        return None
