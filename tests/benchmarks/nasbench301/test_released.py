from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey
from lnas.benchmarks.nasbench301.encoding import encode, parameters
from lnas.benchmarks.nasbench301.released import columns, features, read_released
from lnas.errors import UsageError
from lnas.spaces import DartsSpace, published_genotype
from lnas.types import Arch

SPACE = DartsSpace()
KEY = AccuracyKey("nasbench301-xgb-1.0", "cifar10", "validation", 100, "mean")
PREFIX = "NetworkSelectorDatasetInfo:darts:"
ARCHS = [SPACE.sample(np.random.default_rng(seed)) for seed in range(300)]
# Positions in the hyperparameters of the released `configspace.json`.
POSITIONS = {
    0: "CreateImageDataLoader:batch_size",
    7: "LossModuleSelectorIndices:loss_module",
    9: PREFIX + "drop_path_prob",
    10: PREFIX + "edge_normal_0",
    11: PREFIX + "edge_normal_1",
    12: PREFIX + "edge_reduce_0",
    14: PREFIX + "init_channels",
    15: PREFIX + "inputs_node_normal_3",
    20: PREFIX + "inputs_node_reduce_5",
    21: PREFIX + "layers",
    22: "NetworkSelectorDatasetInfo:network",
    26: "OptimizerSelector:sgd:weight_decay",
    27: "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max",
    31: "SimpleTrainNode:mixup:alpha",
    32: PREFIX + "edge_normal_10",
    35: PREFIX + "edge_normal_13",
    36: PREFIX + "edge_normal_2",
    43: PREFIX + "edge_normal_9",
    44: PREFIX + "edge_reduce_10",
    48: PREFIX + "edge_reduce_2",
    55: PREFIX + "edge_reduce_9",
}


def column(name: str) -> int:
    return columns().index(PREFIX + name)


def accuracy_of(rows: np.ndarray, seed: int) -> np.ndarray:
    return 90 + 0.3 * rows[:, column("edge_normal_0")] + 0.1 * rows[:, column("inputs_node_reduce_5")] + 0.2 * seed


def member_folder(folder, seed, model):
    """As released: a folder per model and seed."""
    place = folder / f"member_{seed}" / model / "19700101-6"
    place.mkdir(parents=True)
    (place / "model_config.json").write_text(json.dumps({"model": model, "param:bananas_enc": False}))
    (place / "data_config.json").write_text(json.dumps({"seed": seed}))
    return place


@pytest.fixture(scope="module")
def xgboost():
    return pytest.importorskip("xgboost")


@pytest.fixture(scope="module")
def lightgbm():
    return pytest.importorskip("lightgbm")


def trained(xgboost, rows, target):
    settings = {"objective": "reg:squarederror", "max_depth": 3, "nthread": 1}
    return xgboost.train(settings, xgboost.DMatrix(rows, label=target), num_boost_round=5)


@pytest.fixture
def released(tmp_path, xgboost):
    """An ensemble of three, and its members."""
    folder, rows = tmp_path / "xgb_v1.0", features(encode(ARCHS))
    boosters = [trained(xgboost, rows, accuracy_of(rows, seed)) for seed in range(3)]
    for seed, booster in enumerate(boosters):
        booster.save_model(member_folder(folder, seed, "xgb") / "surrogate_model.json")
    return folder, boosters


def lightgbm_runtime(lightgbm, folder, target):
    data = lightgbm.Dataset(features(encode(ARCHS)), label=target)
    booster = lightgbm.train({"objective": "regression", "verbosity": -1, "num_threads": 1}, data, num_boost_round=5)
    place = member_folder(folder, 0, "lgb_time")
    (place / "surrogate_model.model").write_bytes(pickle.dumps(booster))
    return booster


def test_features_are_in_the_order_of_the_released_configuration_space():
    assert len(columns()) == len(set(columns())) == 56
    assert {position: columns()[position] for position in POSITIONS} == POSITIONS


def test_features_are_choices_and_minus_one_for_absent_edges():
    row = features(encode([published_genotype("DARTS_V2")]))[0]
    named = {name.removeprefix(PREFIX): value for name, value in zip(columns(), row.tolist(), strict=True)}
    assert named["edge_normal_0"] == 3  # sep_conv_3x3
    assert named["edge_normal_4"] == -1
    assert named["edge_reduce_13"] == -1
    assert named["edge_reduce_11"] == 2  # skip_connect
    assert named["inputs_node_normal_5"] == 1  # 0_2
    assert named["inputs_node_reduce_5"] == 4  # 1_2
    assert sum(map(abs, row)) == sum(abs(named[name]) for name, _ in parameters())


def test_answers_are_the_mean_of_the_members(released, xgboost):
    folder, boosters = released
    surrogate = read_released(folder)
    expected = np.mean([booster.predict(xgboost.DMatrix(features(encode(ARCHS)))) for booster in boosters], axis=0)
    answers = surrogate.queries(ARCHS, KEY)
    assert answers == pytest.approx(expected, abs=1e-5)
    assert answers.std() > 0.3
    assert surrogate.query(ARCHS[7], KEY) == pytest.approx(answers[7], abs=1e-5)
    assert surrogate.keys() == (KEY,)
    assert surrogate.queries([], KEY).shape == (0,)


def test_runtimes_come_from_an_ensemble_of_their_own(tmp_path, released, lightgbm):
    folder, _ = released
    rows = features(encode(ARCHS))
    runtime = tmp_path / "lgb_runtime_v1.0"
    booster = lightgbm_runtime(lightgbm, runtime, 5_000 + 100 * rows[:, column("edge_reduce_1")])
    surrogate = read_released(folder, runtime)
    expected = booster.predict(rows)
    assert [surrogate.cost(arch, KEY) for arch in ARCHS[:5]] == pytest.approx(expected[:5], abs=1e-3)
    with pytest.raises(UsageError, match="expected a surrogate of the runtime, got None"):
        read_released(folder).cost(ARCHS[0], KEY)


def test_a_model_in_its_own_format_is_preferred_to_a_pickle(released):
    folder, _ = released
    before = read_released(folder).query(ARCHS[0], KEY)
    for path in folder.rglob("surrogate_model.json"):
        path.with_suffix(".model").write_bytes(b"\x80\x04N.")
        path.with_suffix(".model.bak").write_bytes(b"\x80\x04N.")
    assert read_released(folder).query(ARCHS[0], KEY) == before


def test_a_pickle_without_a_model_is_refused(released):
    folder, _ = released
    for path in folder.rglob("surrogate_model.json"):
        path.with_suffix(".model").write_bytes(pickle.dumps({"model": 1}))
        path.unlink()
    with pytest.raises(UsageError, match=r"surrogate_model.model'.*of which nothing was run.*save_model"):
        read_released(folder)


def test_unknown_keys_and_architectures_are_refused(released):
    surrogate = read_released(released[0])
    other = AccuracyKey("nasbench301-xgb-1.0", "cifar10", "validation", 98, "mean")
    with pytest.raises(UsageError, match=r"no accuracies under .*It has: nasbench301-xgb-1\.0/.*@100/mean"):
        surrogate.query(ARCHS[0], other)
    with pytest.raises(UsageError, match="expected an arch of 'darts'"):
        surrogate.query(Arch("nats_size", (0,) * 5), KEY)


@pytest.mark.parametrize("name", ["xgb", "gnn_gin_v1.0", "lgb_runtime_v1.0", "xgb_v1.0b"])
def test_the_folder_says_what_it_is(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError) as caught:
        read_released(tmp_path / name)
    assert f"expected a folder named xgb_v... or lgb_v..., got {name!r}" in str(caught.value)


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="expected a folder, got 'nothing there'"):
        read_released(tmp_path / "xgb_v1.0")
    (tmp_path / "xgb_v1.0").write_text("")
    with pytest.raises(UsageError, match="expected a folder, got 'a file'"):
        read_released(tmp_path / "xgb_v1.0")
    (tmp_path / "lgb_v1.0").mkdir()
    with pytest.raises(UsageError, match=r"expected members with surrogate_model\.model, got 'none'"):
        read_released(tmp_path / "lgb_v1.0")


def test_runtimes_are_of_the_same_version(tmp_path, released):
    (tmp_path / "lgb_runtime_v0.9").mkdir()
    with pytest.raises(UsageError, match=r"expected version 1\.0, that of the accuracies, got '0\.9'"):
        read_released(released[0], tmp_path / "lgb_runtime_v0.9")
    with pytest.raises(UsageError, match=r"expected a folder named xgb_runtime_v\.\.\. or lgb_runtime_v\.\.\."):
        read_released(released[0], released[0])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{}", "expected 'model' 'xgb' in model_config.json, got None"),
        ('{"model": "gnn_gin"}', "expected 'model' 'xgb' in model_config.json, got 'gnn_gin'"),
        ('{"model": "xgb_time"}', "got 'xgb_time'"),
        ("[1]", "expected 'model' 'xgb' in model_config.json, got [1]"),
        ('{"model": ', "expected whole JSON"),
    ],
)
def test_members_of_another_kind_are_refused(released, content, complaint):
    next(released[0].rglob("model_config.json")).write_text(content)
    with pytest.raises(UsageError) as caught:
        read_released(released[0])
    assert complaint in str(caught.value)


def test_models_of_another_encoding_are_refused(released, xgboost):
    path = next(released[0].rglob("surrogate_model.json"))
    trained(xgboost, np.eye(30), np.arange(30)).save_model(path)
    with pytest.raises(UsageError, match="expected a model of 56 features, those of the configuration space, got 30"):
        read_released(released[0])


def test_models_that_split_on_the_training_are_refused(released, xgboost):
    rows = features(encode(ARCHS))
    rows[:, columns().index("OptimizerSelector:sgd:learning_rate")] = np.arange(len(rows))
    path = next(released[0].rglob("surrogate_model.json"))
    trained(xgboost, rows, np.arange(len(rows)) / 10).save_model(path)
    with pytest.raises(UsageError, match="split on the architecture only, got 'OptimizerSelector:sgd:learning_rate'"):
        read_released(released[0])
