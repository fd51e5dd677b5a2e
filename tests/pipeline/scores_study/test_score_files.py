from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
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
    found = origins(as_score_files({"one": one, "same": same, "other": other}), {"net": one})
    hashes = [json.loads(found[f"scores {label}"])["sha256"] for label in ("one", "same", "other")]
    assert hashes[0] == hashes[1] != hashes[2]
    assert json.loads(found["supernet net"])["sha256"] == hashes[0]


def test_values_stay_with_their_architectures(write: Callable[..., str]) -> None:
    files = as_score_files({"mine": write("my.csv", ARCHS, score=[1, 2, float("nan")])})
    (found,) = estimates_of(files, load_files(files))
    assert list(found.archs) == ARCHS
    assert found.values[:2].tolist() == [1, 2]
    assert found.values[2] != found.values[2]


def test_repeats_stand_in_the_order_of_the_file(write: Callable[..., str]) -> None:
    other = write("seed1.csv", ARCHS[1:][::-1], score=[6, 5])
    file = ScoreFile(write("my.csv", ARCHS, score=[1, 2, 3]), repeats=[other])
    (found,) = estimates_of(files := {"mine": file}, load_files(files))
    np.testing.assert_array_equal(found.repeats, [[np.nan, 5, 6]])
    (repeat,) = json.loads(origins(files, {})["scores mine"])["repeats"]
    assert repeat["file"] == other


def test_the_folder_of_a_command_is_its_scores(write: Callable[..., str], tmp_path: Path) -> None:
    write("scores.parquet", ARCHS, synflow=[1, 2, 3])
    assert names({"zero-shot": str(tmp_path)}) == {"zero-shot": True}
    for config, made_by in (("seed: 3\n", {"seed": 3}), ("[", "config.yaml cannot be read: while parsing")):
        (tmp_path / "config.yaml").write_text(config)
        told = json.loads(origins(as_score_files({"zero-shot": str(tmp_path)}), {})["scores zero-shot"])["made by"]
        assert told == made_by or told.startswith(made_by)


def test_an_accuracy_is_no_file_and_takes_no_options(write: Callable[..., str]) -> None:
    file = write("my.csv", ARCHS, score=[1, 2, 3])
    assert names({"mine": file, "val12": "truth:key"}) == {"mine": True}
    with pytest.raises(UsageError, match="expected nothing but the key of an accuracy"):
        names({"val12": ScoreFile("truth:key", epoch=3)})
    two = write("two.csv", ARCHS, synflow=[1, 2, 3], snip=[1, 2, 3])
    assert list(names({"a": two, "synflow": "truth:key"})) == ["a: synflow", "snip"]


def test_bad_files_are_named(write: Callable[..., str]) -> None:
    file = write("scores.csv", ARCHS, synflow=[1, 2, 3])
    empty = write("empty.csv", [], synflow=[])
    bare = write("bare.csv", ARCHS)
    for given, message in (
        ({}, "at least one file of scores"),
        ({"mine": "nowhere.csv"}, "scores.mine='nowhere.csv': expected a file of scores, got 'nothing there'"),
        ({"mine": ScoreFile(file, ["synflo"])}, "scores.mine.measures: unknown column 'synflo'. Did you mean"),
        ({"mine": ScoreFile(file, (), False)}, "scores.mine.higher_is_better=False: expected True"),
        ({"mine": ScoreFile(file, epoch=4)}, "scores.mine.epoch=4: expected a file of `lnas supernet`"),
        ({"mine": ScoreFile(file, repeats=["gone"])}, "scores.mine.repeats='gone': expected a file of scores"),
        ({"mine": ScoreFile(file, repeats=[bare])}, "scores.mine.repeats: unknown column 'synflow'"),
        ({"mine": empty}, "expected at least one architecture"),
        ({"mine": bare}, "scores.mine: expected a column of numbers beside arch"),
    ):
        with pytest.raises(UsageError, match=re.escape(message)):
            names(given)  # type: ignore[arg-type]
