from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest

from lnas.errors import UsageError
from lnas.pipeline.scores_study.score_files import ScoreFile, as_score_files, estimates_of, load_files, origins
from lnas.types import Arch

ARCHS = [Arch("nats_topology", (0, 0, 0, 0, 0, gene)) for gene in range(3)]


def names(given: dict[str, str | ScoreFile]) -> dict[str, bool]:
    files = as_score_files(given)
    return {each.name: each.higher_is_better for each in estimates_of(files, load_files(files))}


def test_a_csv_of_one_score_is_called_by_its_label_and_high_is_better(write: Callable[..., str]) -> None:
    assert names({"mine": write("my.csv", ARCHS, score=[1, 2, 3])}) == {"mine": True}


def test_measures_of_lnas_keep_name_and_direction(write: Callable[..., str]) -> None:
    file = write("scores.parquet", ARCHS, synflow=[1, 2, 3], ntk_cond=[1, 2, 3], own=[1, 2, 3])
    assert names({"zero-shot": file}) == {"synflow": True, "ntk_cond": False, "own": True}
    assert names({"zero-shot": ScoreFile(file, ["ntk_cond"])}) == {"zero-shot": False}
    assert names({"mine": ScoreFile(file, ["own"], higher_is_better=False)}) == {"mine": False}


def test_measures_of_two_files_are_told_apart_by_label(write: Callable[..., str]) -> None:
    one = write("one.parquet", ARCHS, synflow=[1, 2, 3], snip=[1, 2, 3])
    other = write("other.parquet", ARCHS, synflow=[1, 2, 3], flops=[1, 2, 3])
    assert list(names({"a": one, "b": other})) == ["a: synflow", "snip", "b: synflow", "flops"]
    assert list(names({"a": one, "snip": ScoreFile(other, ["flops"])})) == ["synflow", "a: snip", "snip"]


def test_a_name_that_two_estimators_would_have_is_refused(write: Callable[..., str]) -> None:
    one = write("one.parquet", ARCHS, synflow=[1, 2, 3], snip=[1, 2, 3])
    other = write("other.parquet", ARCHS, synflow=[1, 2, 3])
    with pytest.raises(UsageError, match="different names, got 'a: synflow twice'"):
        names({"a": one, "synflow": other, "a: synflow": other})


def test_the_origin_of_a_file_tells_its_bytes(write: Callable[..., str]) -> None:
    one, same = write("one.csv", ARCHS, score=[1, 2, 3]), write("same.csv", ARCHS, score=[1, 2, 3])
    other = write("other.csv", ARCHS, score=[1, 2, 4])
    found = origins(as_score_files({"one": one, "same": same, "other": other}))
    hashes = [json.loads(found[f"scores {label}"])["sha256"] for label in ("one", "same", "other")]
    assert hashes[0] == hashes[1] != hashes[2]


def test_values_stay_with_their_architectures(write: Callable[..., str]) -> None:
    files = as_score_files({"mine": write("my.csv", ARCHS, score=[1, 2, float("nan")])})
    (found,) = estimates_of(files, load_files(files))
    assert list(found.archs) == ARCHS
    assert found.values[:2].tolist() == [1, 2]
    assert found.values[2] != found.values[2]


def test_bad_files_are_named(write: Callable[..., str]) -> None:
    file = write("scores.csv", ARCHS, synflow=[1, 2, 3])
    empty = write("empty.csv", [], synflow=[])
    bare = write("bare.csv", ARCHS)
    for given, message in (
        ({}, "at least one file of scores"),
        ({"mine": "nowhere.csv"}, "scores.mine='nowhere.csv': expected a file of scores, got 'nothing there'"),
        ({"mine": ScoreFile(file, ["synflo"])}, "scores.mine.measures: unknown column 'synflo'. Did you mean"),
        ({"mine": ScoreFile(file, (), False)}, "scores.mine.higher_is_better=False: expected True"),
        ({"mine": empty}, "expected at least one architecture"),
        ({"mine": bare}, "scores.mine: expected a column of numbers beside arch"),
    ):
        with pytest.raises(UsageError, match=re.escape(message)):
            names(given)  # type: ignore[arg-type]
