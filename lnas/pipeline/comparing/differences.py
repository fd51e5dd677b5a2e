"""What differs in how two results were made: settings, protocols, configs, versions and machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lnas.pipeline.comparing.source import Source
from lnas.pipeline.comparing.stored import StoredProtocol
from lnas.report.table import Column, ResultTable

SETTINGS, PROTOCOL, CONFIG, MACHINE = "settings", "protocol", "config", "versions and machine"
_DECIDES_NOTHING = ("output", "quiet", "debug", "wandb", "project", "config")
_ABSENT = "not there"
_LONGEST = 100


class Different(NamedTuple):
    """A field whose values differ.

    Attributes:
        kind: Of what it is a field.
        field: Its dotted path.
        a: Its value in A as JSON, or that it is not there.
        b: In B.
    """

    kind: str
    field: str
    a: str
    b: str


def find_differences(a: Source, b: Source) -> list[Different]:
    """Compare all that is known of how two results were made, field by field; what is equal is left out."""
    found = []
    if a.record is not None and b.record is not None:
        one, other = a.record, b.record
        found += differing(SETTINGS, {"command": a.command} | one.settings, {"command": b.command} | other.settings)
        found += differing(PROTOCOL, *_apart(a, b))
    if a.config and b.config:
        found += differing(CONFIG, _deciding(a.config), _deciding(b.config))
    if a.record is not None and b.record is not None:
        found += differing(MACHINE, a.record.provenance, b.record.provenance)
    return found


def differing(kind: str, a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Different]:
    """Return the fields of nested mappings that differ; what only one of them has is one field, however much it holds.

    Example:
        >>> differing("settings", {"net": {"cells": 1}, "seed": 0}, {"net": {"cells": 5}, "seed": 0})
        [Different(kind='settings', field='net.cells', a='1', b='5')]
        >>> differing("settings", {"net": {"cells": 1}}, {})
        [Different(kind='settings', field='net', a='there, with 1 field', b='not there')]
    """
    return [Different(kind, field, *map(_written, pair)) for field, *pair in _unequal(a, b, "")]


def difference_table(found: Sequence[Different]) -> ResultTable:
    """List what differs; a row that says so where nothing does."""
    rows = found or [Different("nothing", "", "", "")]
    return ResultTable(
        "differences",
        "What differs in how they were made",
        [
            Column("kind", "of", [row.kind for row in rows]),
            Column("field", "field", [row.field for row in rows]),
            Column("a", "A", [_short(row.a) for row in rows]),
            Column("b", "B", [_short(row.b) for row in rows]),
        ],
        [
            "Settings and protocols decide the numbers, and are those that the stores keep; configs are the files "
            "beside them. What is not there is often an option of a later version, at what was usual before."
        ],
    )


def _deciding(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in _DECIDES_NOTHING}


def _apart(a: Source, b: Source) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the protocols that the settings do not hold: those of each, or by measures where there are several."""
    one, other = (_not_in_settings(source) for source in (a, b))
    if len(one) == len(other) == 1:
        return one[0].described, other[0].described
    return _by_measures(one), _by_measures(other)


def _by_measures(protocols: Sequence[StoredProtocol]) -> dict[str, Any]:
    return {", ".join(each.measures): each.described for each in protocols}


def _not_in_settings(source: Source) -> list[StoredProtocol]:
    settings = source.record.settings if source.record is not None else {}
    if "estimators" in settings and not source.key:  # in the store they may be divided by what twins share
        return []
    return [each for each in source.protocols.values() if each.described != settings.get("retraining")]


def _unequal(a: Mapping[str, Any], b: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield what differs at the ends of paths that both have, each with its dotted path."""
    for key in {**a, **b}:
        one, other = (each.get(key, _ABSENT) for each in (a, b))
        field = f"{path}.{key}" if path else str(key)
        inner, others = _as_mapping(one), _as_mapping(other)
        if inner and others:
            yield from _unequal(inner, others, field)
        elif one != other:
            yield field, one, other


def _as_mapping(value: Any) -> Mapping[str, Any]:
    """Return what a value holds by name; nothing for a plain one."""
    if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
        return dict(zip(_names(value), value, strict=True))
    return value if isinstance(value, Mapping) else {}


def _names(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name the items of a list by their classes, numbered where one comes again: a new one moves no other."""
    kinds = [str(item.get("class", item.get("class_path", "item"))).rpartition(".")[2] for item in items]
    seen: Counter[str] = Counter()
    names = []
    for kind in kinds:
        seen[kind] += 1
        names.append(kind if seen[kind] == 1 else f"{kind} {seen[kind]}")
    return names


def _written(value: Any) -> str:
    if value is _ABSENT:
        return _ABSENT
    held = len(_as_mapping(value))
    return f"there, with {held} field{'s' if held > 1 else ''}" if held else json.dumps(value, default=str)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"
