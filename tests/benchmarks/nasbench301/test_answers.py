from __future__ import annotations

import json

import pytest

from lnas.benchmarks import AccuracyKey
from lnas.benchmarks.nasbench301.answers import read_official_answers
from lnas.errors import UsageError
from lnas.spaces import DartsSpace

KEY = AccuracyKey("nasbench301-xgb-1.0", "cifar10", "validation", 100, "mean")
# Node by node, [input, operation]; operation 0 is max_pool_3x3.
NORMAL = [[0, 3], [1, 3], [0, 3], [1, 3], [1, 3], [0, 2], [0, 2], [2, 5]]
REDUCE = [[0, 0], [1, 0], [2, 2], [1, 0], [0, 0], [2, 2], [2, 2], [1, 0]]


def write(folder, content):
    path = folder / "answers.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_entries_are_genotypes(tmp_path):
    sample = read_official_answers(write(tmp_path, [[[NORMAL, REDUCE], 94.5], [[REDUCE, NORMAL], 93.5]]))
    normal = (4, 4, 4, 4, 0, 3, 4, 0, 0, 3, 0, 6, 0, 0)
    reduce = (1, 1, 0, 1, 3, 1, 0, 3, 0, 0, 1, 3, 0, 0)
    assert [arch.genes for arch in sample.archs()] == [normal + reduce, reduce + normal]
    assert sample.keys() == (KEY,)
    assert sample.table(KEY).accuracy.tolist() == [94.5, 93.5]
    assert "of 2 DARTS architectures" in sample.card.what


def with_normal(*changes):
    cell = [list(entry) for entry in NORMAL]
    for position, entry in changes:
        cell[position] = entry
    return [[[cell, REDUCE], 94.5]]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "expected whole JSON"),
        ("[[[[0, 3], [1,", "expected whole JSON"),
        ({"a": 1}, "expected a list of [[normal, reduce], accuracy], got {'a': 1}"),
        ([], "expected a list of [[normal, reduce], accuracy], got []"),
        ([[[NORMAL, REDUCE]]], "entry 0: expected [[normal, reduce], accuracy]"),
        ([[[NORMAL, REDUCE], "94"]], "entry 0: expected [[normal, reduce], accuracy]"),
        ([[[NORMAL, REDUCE], 94.5], [[NORMAL], 94.5]], "entry 1: expected [[normal, reduce], accuracy]"),
        ([[[NORMAL, REDUCE[:7]], 94.5]], "entry 0, reduce: expected 8 pairs [input, operation]"),
        (with_normal((0, [0, 3, 1])), "entry 0, normal: expected pairs [input, operation], got [0, 3, 1]"),
        (with_normal((0, [0, True])), "expected pairs [input, operation], got [0, True]"),
        (with_normal((0, [2, 3])), "expected an input of node 2 in 0..1 and an operation in 0..6, got [2, 3]"),
        (with_normal((7, [4, 7])), "expected an input of node 5 in 0..4 and an operation in 0..6, got [4, 7]"),
        (with_normal((7, [-1, 5])), "expected an input of node 5 in 0..4"),
        (with_normal((3, [0, 1])), "expected two inputs of node 3, got '0 twice'"),
        ("[[" + json.dumps([NORMAL, REDUCE]) + ", NaN]]", "expected a number in each mean, got 'NaN in row 0'"),
        ([[[NORMAL, REDUCE], 945.0]], "expected an accuracy in percent, got 945.0"),
        ([[[NORMAL, REDUCE], 94.5]] * 2, "expected each architecture once, got 'rows 0 and 1'"),
    ],
)
def test_what_is_no_such_file_gives_one_clear_error(tmp_path, content, complaint):
    with pytest.raises(UsageError) as caught:
        read_official_answers(write(tmp_path, content))
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.data
def test_the_published_sample_has_no_twins(data_root):
    path = data_root / "nb301" / "nb301_xgb_v1_1218.json"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    sample, space = read_official_answers(path), DartsSpace()
    assert len(sample) == len({space.canonical(arch) for arch in sample.archs()}) == 1218
    accuracy = sample.table(KEY).accuracy
    assert (accuracy.min(), accuracy.max()) == pytest.approx((90.7279, 94.4889), abs=1e-4)
    assert json.loads(path.read_text())[17][1] == accuracy[17]
