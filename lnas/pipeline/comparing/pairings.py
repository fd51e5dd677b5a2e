"""Which measure of one result is compared with which of the other."""

from __future__ import annotations

from collections.abc import Sequence

from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators.directions import known_direction
from lnas.pipeline.comparing.measured import Measured
from lnas.pipeline.comparing.measures import Pairing


def pair_up(a: Measured, b: Measured, asked: Sequence[str], lower: Sequence[str]) -> list[Pairing]:
    """Return the measures that are compared: those of one name or, where each result has a single one, these.

    Args:
        a: Numbers of A.
        b: Numbers of B.
        asked: NAME, or NAME=OTHER for NAME of A and OTHER of B; all if empty.
        lower: Measures that lnas does not know and whose lower numbers are better.

    Raises:
        UsageError: If a name is unknown, or a direction contradicts what lnas knows.
    """
    if asked:
        pairs = [_split(text, a, b) for text in asked]
    else:
        pairs = [(name, name) for name in a.values if name in b.values]
        if not pairs and len(a.values) == len(b.values) == 1:
            pairs = [(next(iter(a.values)), next(iter(b.values)))]
    for name in lower:
        _check_lower(name, [*a.values, *b.values])
    return [
        Pairing(one if one == other else f"{one} / {other}", one, other, (_is_high(one, lower), _is_high(other, lower)))
        for one, other in pairs
    ]


def _split(text: str, a: Measured, b: Measured) -> tuple[str, str]:
    one, sign, other = text.partition("=")
    for label, name, known in (("A", one, a.values), ("B", other if sign else one, b.values)):
        if name not in known:
            raise UsageError(f"measures={text!r}, in {label}: {unknown_name('measure', name, known)}")
    return one, other if sign else one


def _check_lower(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UsageError(f"lower: {unknown_name('measure', name, set(known))}")
    if known_direction(name):
        call = f"lower=[{name!r}]"
        raise UsageError(complaint(call, "a measure whose direction lnas does not know", name, "Leave it out."))


def _is_high(name: str, lower: Sequence[str]) -> bool:
    known = known_direction(name)
    return known if known is not None else name not in lower
