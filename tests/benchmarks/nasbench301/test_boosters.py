from __future__ import annotations

import pickle
import struct
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from lnas.benchmarks.nasbench301.boosters import read_trees
from lnas.errors import UsageError

RNG = np.random.default_rng(0)
FEATURES = RNG.integers(-1, 7, (200, 9)) * np.isin(range(9), (2, 7)).astype(float)
TARGET = 90 + 0.3 * FEATURES[:, 2] - 0.2 * FEATURES[:, 7]


@pytest.fixture(scope="module")
def xgboost():
    return pytest.importorskip("xgboost")


@pytest.fixture(scope="module")
def lightgbm():
    return pytest.importorskip("lightgbm")


@pytest.fixture(scope="module")
def forest(xgboost):
    data = xgboost.DMatrix(FEATURES, label=TARGET)
    return xgboost.train({"objective": "reg:squarederror", "max_depth": 3, "nthread": 1}, data, num_boost_round=8)


@pytest.fixture(scope="module")
def bush(lightgbm):
    data = lightgbm.Dataset(FEATURES, label=TARGET)
    return lightgbm.train({"objective": "regression", "verbosity": -1, "num_threads": 1}, data, num_boost_round=8)


class Booster:
    """Stands for a library's class in a pickle; its own is not needed to read it."""

    def __init__(self, **state):
        self.__dict__.update(state)


def predicted(forest, xgboost):
    return forest.predict(xgboost.DMatrix(FEATURES))


def test_models_of_xgboost_answer_as_saved(tmp_path, forest, xgboost):
    forest.save_model(tmp_path / "model.json")
    trees = read_trees(tmp_path / "model.json", "xgboost")
    assert trees.predict(FEATURES).tolist() == predicted(forest, xgboost).tolist()
    assert (trees.columns, trees.used) == (9, {2, 7})


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_models_of_lightgbm_answer_as_saved(tmp_path, bush, protocol):
    bush.save_model(tmp_path / "model.txt")
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(bush, protocol))
    for name in ("model.txt", "model.pickle"):
        trees = read_trees(tmp_path / name, "lightgbm")
        assert trees.predict(FEATURES).tolist() == bush.predict(FEATURES).tolist()
        assert (trees.columns, trees.used) == (9, {2, 7})


def test_a_pickle_says_after_which_round_training_stopped_improving(tmp_path, bush):
    bush.best_iteration = 3
    try:
        (tmp_path / "model.pickle").write_bytes(pickle.dumps(bush))
    finally:
        bush.best_iteration = 0
    answers = read_trees(tmp_path / "model.pickle", "lightgbm").predict(FEATURES)
    assert answers.tolist() == bush.predict(FEATURES, num_iteration=3).tolist()
    assert abs(answers - bush.predict(FEATURES)).max() > 0.01


@pytest.mark.filterwarnings("ignore")  # the format is deprecated
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_pickles_of_old_xgboost_hold_its_old_format(tmp_path, forest, xgboost, protocol):
    try:
        raw = bytes(forest.save_raw(raw_format="deprecated"))
    except (ValueError, xgboost.core.XGBoostError):
        pytest.skip("this XGBoost does not know the old format")
    snapshot = b"CONFIG-offset:" + struct.pack("<q", len(raw)) + raw + b'{"learner": {}}'
    (tmp_path / "model").write_bytes(pickle.dumps(Booster(handle=bytearray(snapshot)), protocol))
    answers = read_trees(tmp_path / "model", "xgboost").predict(FEATURES)
    assert answers.tolist() == predicted(forest, xgboost).tolist()


@pytest.mark.parametrize("raw", [b"binf", b"binf" + bytes(40)])
def test_what_xgboost_does_not_read_names_a_version_that_does(tmp_path, xgboost, raw):
    snapshot = b"CONFIG-offset:" + struct.pack("<q", len(raw)) + raw
    (tmp_path / "model").write_bytes(pickle.dumps(Booster(handle=bytearray(snapshot))))
    with pytest.raises(UsageError) as caught:
        read_trees(tmp_path / "model", "xgboost")
    version = xgboost.__version__
    assert f"expected a whole model that XGBoost {version} reads, got 'its old binary format'" in str(caught.value)
    assert "pip install 'xgboost-cpu<3.1'" in str(caught.value)


class Malicious:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return Path.touch, (self.target,)


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_nothing_of_a_pickle_is_run(tmp_path, library, protocol):
    pytest.importorskip(library)
    target = tmp_path / "touched"
    (tmp_path / "model").write_bytes(pickle.dumps(Malicious(target), protocol))
    with pytest.raises(UsageError, match="a pickle without one, of which nothing was run"):
        read_trees(tmp_path / "model", library)
    assert not target.exists()
    pickle.loads((tmp_path / "model").read_bytes())
    assert target.exists(), "the file is harmless, and the test shows nothing"


def test_a_pickle_that_also_does_harm_is_read_without_it(tmp_path, bush):
    target = tmp_path / "touched"
    content = pickle.dumps([Malicious(target), bush])
    (tmp_path / "model").write_bytes(content)
    assert read_trees(tmp_path / "model", "lightgbm").predict(FEATURES).tolist() == bush.predict(FEATURES).tolist()
    assert not target.exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("name", ["model.json", "model.txt", "model.pickle"])
def test_truncated_models_give_one_clear_error(tmp_path, request, name, share):
    booster = request.getfixturevalue("forest" if name == "model.json" else "bush")
    path = tmp_path / name
    if name == "model.pickle":
        path.write_bytes(pickle.dumps(booster))
    else:
        booster.save_model(path)
    whole = path.read_bytes()
    last = whole.find(b"end of trees") if name == "model.txt" else len(whole)
    path.write_bytes(whole[: int(last * share)])
    with pytest.raises(UsageError, match=r"expected a whole (model|pickle)") as caught:
        read_trees(path, "xgboost" if name == "model.json" else "lightgbm")
    assert "\n" not in str(caught.value)


def test_a_model_that_lost_a_tree_is_refused(tmp_path, bush):
    text = bush.model_to_string()
    start, end = text.index("Tree=3"), text.index("Tree=4")
    (tmp_path / "model.txt").write_text(text[:start] + text[end:])
    with pytest.raises(UsageError, match="expected a whole model of LightGBM, got 'a damaged one'"):
        read_trees(tmp_path / "model.txt", "lightgbm")


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
@pytest.mark.parametrize(
    "content", [b"", b"no model", b"\x80", b"\x80\x04", b"\x80\x04N.", b"\x80\xffzz", pickle.dumps("\ud800")]
)
def test_what_is_no_model_gives_one_clear_error(tmp_path, library, content):
    pytest.importorskip(library)
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(UsageError, match=r"benchmark file '.*model': expected a ") as caught:
        read_trees(tmp_path / "model", library)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b'{"a": 1}', b'{"learner": {}}', b'{"'])
def test_json_of_something_else_is_no_model(tmp_path, xgboost, content):
    (tmp_path / "model").write_bytes(content)
    with pytest.raises(UsageError, match="expected a whole model that XGBoost"):
        read_trees(tmp_path / "model", "xgboost")


def test_ubjson_is_refused_before_xgboost_sees_it(tmp_path, forest):
    # XGBoost 3.2 reads beyond the end of a truncated one, and sometimes ends the process.
    forest.save_model(tmp_path / "model.ubj")
    with pytest.raises(UsageError, match=r"expected a model of XGBoost \(JSON\).*`surrogate_model\.json`"):
        read_trees(tmp_path / "model.ubj", "xgboost")


def test_each_library_reads_its_own(tmp_path, forest, bush):
    forest.save_model(tmp_path / "model.json")
    bush.save_model(tmp_path / "model.txt")
    with pytest.raises(UsageError, match=r"expected a model of LightGBM \(text\).*`surrogate_model.txt`"):
        read_trees(tmp_path / "model.json", "lightgbm")
    with pytest.raises(UsageError, match=r"expected a model of XGBoost \(JSON\).*`surrogate_model.json`"):
        read_trees(tmp_path / "model.txt", "xgboost")


@pytest.mark.parametrize(
    ("library", "command"), [("xgboost", "pip install 'xgboost-cpu<3.1'"), ("lightgbm", "pip install lightgbm")]
)
def test_a_missing_library_is_named(tmp_path, monkeypatch, library, command):
    (tmp_path / "model").write_bytes(b"")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(UsageError) as caught:
        read_trees(tmp_path / "model", library)
    assert f"expected the package '{library}', which reads it" in str(caught.value)
    assert command in str(caught.value)


def test_a_missing_file_is_named_before_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "xgboost", None)
    with pytest.raises(UsageError, match="nothing there"):
        read_trees(Path(tempfile.gettempdir()) / "no such model", "xgboost")
