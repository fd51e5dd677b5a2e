"""What differs in how two results were made."""

from __future__ import annotations

from pathlib import Path

from lnas.pipeline.comparing.differences import Different, difference_table, differing, find_differences
from lnas.pipeline.comparing.source import Source
from lnas.pipeline.comparing.stored import StoredProtocol
from lnas.store import RunRecord


def source(settings: dict, provenance: dict, config: dict, **protocols: StoredProtocol) -> Source:
    record = RunRecord(settings, provenance, "2026-01-01", None)
    return Source("given", Path(), command="score", record=record, protocols=protocols, config=config)


def test_members_of_a_list_are_told_apart_by_their_classes_so_that_another_one_moves_none() -> None:
    one = {"estimators": [{"class": "a.Angle", "steps": 50}]}
    other = {"estimators": [{"class": "b.Zero", "batches": 1}, {"class": "a.Angle", "steps": 12}]}
    assert differing("settings", one, other) == [
        Different("settings", "estimators.Angle.steps", "50", "12"),
        Different("settings", "estimators.Zero", "not there", "there, with 2 fields"),
    ]


def test_all_that_is_known_is_compared_but_where_it_is_written_to() -> None:
    one = source({"seed": 0}, {"versions": {"torch": "2.6"}}, {"archs": 10, "output": "a"})
    other = source({"seed": 1}, {"versions": {"torch": "2.7"}}, {"archs": 10, "output": "b"})
    assert [(each.kind, each.field, each.a, each.b) for each in find_differences(one, other)] == [
        ("settings", "seed", "0", "1"),
        ("versions and machine", "versions.torch", '"2.6"', '"2.7"'),
    ]


def test_two_protocols_that_no_settings_hold_are_compared_field_by_field() -> None:
    one, other = (StoredProtocol({"class": "c", "steps": steps}, ("angle",), (0,)) for steps in (50, 12))
    found = find_differences(source({}, {}, {}, one=one), source({}, {}, {}, other=other))
    assert found == [Different("protocol", "steps", "50", "12")]


def test_where_nothing_differs_the_table_says_so_and_long_values_keep_both_ends() -> None:
    assert difference_table([]).texts() == [["nothing", "", "", ""]]
    ((*_, a, b),) = difference_table([Different("settings", "x", "1" * 300 + "2", "3")]).texts()
    assert len(a) < 120
    assert (a[0], a[-1], b) == ("1", "2", "3")
