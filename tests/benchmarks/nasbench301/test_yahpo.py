from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from lnas.benchmarks import AccuracyKey
from lnas.benchmarks.nasbench301.answers import read_official_answers
from lnas.benchmarks.nasbench301.encoding import parameters
from lnas.benchmarks.nasbench301.yahpo import read_yahpo
from lnas.errors import UsageError
from lnas.spaces import DartsSpace, published_genotype
from lnas.types import Arch

SPACE = DartsSpace()
WEIGHTS, ENCODING = "yahpo_nb301_2021_weights.npz", "yahpo_nb301_encoding.json"
WIDTH = 2
# Computed by onnxruntime 1.31 from the released model: percent, seconds.
ANSWERS = [
    ("DARTS_V2", 1, 46.3872, 259.56),
    ("DARTS_V2", 98, 95.4603, 5553.88),
    ("PDARTS", 12, 79.4026, 723.68),
    ("GDAS", 50, 91.5357, 3235.08),
    ("TENAS_cifar10", 98, 95.3410, 7235.08),
    ("DrNAS_cifar10", 97, 95.2529, 6712.07),
]


def key_of(epochs: int) -> AccuracyKey:
    return AccuracyKey("yahpo-nb301-2021", "cifar10", "validation", epochs, "mean")


def encoding() -> dict:
    """As released: choices by name, `#na#` first; the parameters in another order than ours."""
    levels = {
        name: {choice: number for number, choice in enumerate(sorted(["#na#", *choices]))}
        for name, choices in parameters()
    }
    return {"order": sorted(levels), "levels": levels}


def weights() -> dict[str, np.ndarray]:
    """A network in which everything is zero, but for what maps the outputs."""
    arrays = {"epoch_scale": np.float32(0.5), "out_scale": np.array([0.01, 1000.0, 30.0])}
    for number, name in enumerate(encoding()["order"]):
        arrays[f"emb{number}"] = np.zeros((len(encoding()["levels"][name]), WIDTH), dtype=np.float32)
    inputs = 34 * WIDTH + 1
    shapes = {"wide": (2, inputs)}
    shapes |= {"deep0": (4, inputs), "deep1": (4, 4), "deep2": (2, 4)}
    shapes |= {"deeper0": (3, inputs), "deeper1": (3, 3), "deeper2": (3, 3), "deeper3": (3, 3), "deeper4": (2, 3)}
    for layer, shape in shapes.items():
        arrays[f"{layer}_w"] = np.zeros(shape, dtype=np.float32)
        arrays[f"{layer}_b"] = np.zeros(shape[0], dtype=np.float32)
    return arrays


def write(folder, arrays=None, names=None):
    np.savez(folder / WEIGHTS, **(arrays or weights()))
    (folder / ENCODING).write_text(json.dumps(names or encoding()))
    return folder


def logit(share: float) -> float:
    return float(np.log(share / (1 - share)))


def test_outputs_are_a_share_and_a_scaled_runtime(tmp_path):
    arrays = weights()
    arrays["wide_b"][:] = logit(0.9), logit(0.21)
    surrogate = read_yahpo(write(tmp_path, arrays))
    arch = published_genotype("GDAS")
    assert surrogate.query(arch, key_of(7)) == pytest.approx(90.0, abs=1e-4)
    assert surrogate.cost(arch, key_of(7)) == pytest.approx(30 + 0.2 * 1000, abs=1e-2)


def test_the_parts_add_up_before_the_sigmoid(tmp_path):
    arrays = weights()
    for layer, share in (("wide", 0.3), ("deep2", 0.6), ("deeper4", 0.7)):
        arrays[f"{layer}_b"][0] = logit(share)
    answer = read_yahpo(write(tmp_path, arrays)).query(published_genotype("GDAS"), key_of(7))
    assert answer == pytest.approx(60.0, abs=1e-4)  # the others cancel


def test_epochs_enter_scaled_and_last(tmp_path):
    arrays = weights()
    arrays["wide_w"][0, -1] = 0.1
    answer = read_yahpo(write(tmp_path, arrays)).query(published_genotype("GDAS"), key_of(40))
    assert answer == pytest.approx(100 / (1 + np.exp(-0.1 * 0.5 * 40)), abs=1e-4)


@pytest.mark.parametrize(("value", "expected"), [(2.0, 1.0507 * 2.0), (-1.0, 1.0507 * 1.6733 * (np.exp(-1) - 1))])
def test_hidden_layers_are_scaled_exponential_units(tmp_path, value, expected):
    arrays = weights()
    arrays["deep1_b"][0] = value
    arrays["deep2_w"][0, 0] = 1.0
    answer = read_yahpo(write(tmp_path, arrays)).query(published_genotype("GDAS"), key_of(7))
    assert answer == pytest.approx(100 / (1 + np.exp(-expected)), abs=1e-3)


@pytest.mark.parametrize(
    ("name", "choice", "present"),
    [
        ("edge_normal_0", "sep_conv_3x3", True),
        ("edge_normal_0", "skip_connect", False),
        ("edge_normal_4", "#na#", True),
        ("inputs_node_normal_5", "0_2", True),
        ("inputs_node_reduce_5", "1_2", True),
        ("inputs_node_reduce_5", "0_2", False),
    ],
)
def test_each_choice_is_looked_up_by_its_name(tmp_path, name, choice, present):
    arrays, names = weights(), encoding()
    place = names["order"].index(name)
    arrays[f"emb{place}"][names["levels"][name][choice], 0] = 1.0
    ours = [parameter.name for parameter in parameters()].index(name)
    arrays["wide_w"][0, WIDTH * ours] = logit(0.8)
    # DARTS_V2: sep_conv_3x3 on edge 0, nothing on edge 4; inputs 0 and 2 of node 5, and 1 and 2 in the reduction cell.
    answer = read_yahpo(write(tmp_path, arrays)).query(published_genotype("DARTS_V2"), key_of(1))
    assert answer == pytest.approx(80.0 if present else 50.0, abs=1e-4)


def test_keys_are_all_epochs_and_nothing_else(tmp_path):
    surrogate = read_yahpo(write(tmp_path))
    assert surrogate.keys() == tuple(key_of(epochs) for epochs in range(1, 99))
    for ask in (surrogate.query, surrogate.cost):
        with pytest.raises(UsageError, match=r"no accuracies under 'yahpo.*@99/mean'.*It has: .*validation@98/mean"):
            ask(published_genotype("GDAS"), key_of(99))


def test_another_architecture_is_refused(tmp_path):
    surrogate = read_yahpo(write(tmp_path))
    for ask in (surrogate.query, surrogate.cost):
        with pytest.raises(UsageError, match="expected an arch of 'darts', got 'nats_size:0-0-0-0-0'"):
            ask(Arch("nats_size", (0,) * 5), key_of(98))


def test_nothing_asked_is_nothing_answered(tmp_path):
    answers = read_yahpo(write(tmp_path)).queries([], key_of(98))
    assert (answers.shape, answers.dtype) == ((0,), np.float64)


def without(name):
    return lambda arrays: arrays.pop(name)


def replaced(name, value):
    return lambda arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (without("deep1_w"), "got 'none of deep1_w'"),
        (without("emb33"), "got 'none of emb33'"),
        (replaced("wide_b", np.array([np.nan, 0.0])), "expected finite numbers in 'wide_b', got [nan, 0.0]"),
        (replaced("wide_b", np.array(["a", "b"])), "expected finite numbers in 'wide_b'"),
        (replaced("epoch_scale", np.zeros(2)), "expected shape () of 'epoch_scale', got (2,)"),
        (replaced("out_scale", np.zeros(2)), "expected shape (3,) of 'out_scale', got (2,)"),
        (replaced("emb0", np.zeros((3, WIDTH))), "expected an embedding of 8 choices, got (3, 2)"),
        (replaced("emb0", np.zeros((8, 3))), "a layer of 70 inputs, got 'weight (2, 69) and bias (2,)'"),
        (replaced("deeper3_w", np.zeros((3, 4))), "a layer of 3 inputs, got 'weight (3, 4) and bias (3,)'"),
        (replaced("deeper3_b", np.zeros((3, 1))), "a layer of 3 inputs, got 'weight (3, 3) and bias (3, 1)'"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, spoil, complaint):
    arrays = weights()
    spoil(arrays)
    with pytest.raises(UsageError) as caught:
        read_yahpo(write(tmp_path, arrays))
    assert complaint in str(caught.value)
    assert WEIGHTS in str(caught.value)


def test_the_outputs_are_two(tmp_path):
    arrays = weights() | {"deep2_w": np.zeros((3, 4)), "deep2_b": np.zeros(3)}
    with pytest.raises(UsageError, match="expected 2 outputs of each part, got 3"):
        read_yahpo(write(tmp_path, arrays))


def relabelled(name, choices):
    return lambda names: names["levels"].update({name: choices})


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda names: names.pop("order"), "an object with 'order' and 'levels'"),
        (lambda names: names["order"].pop(), "'order' to list the 34 parameters"),
        (lambda names: names["order"].append("edge_normal_0"), "'order' to list the 34 parameters"),
        (lambda names: names["levels"].pop("edge_normal_0"), "'levels' of each parameter"),
        (relabelled("edge_normal_0", {"#na#": 0, "a": 1}), "the choices max_pool_3x3, avg_pool_3x3"),
        (relabelled("edge_normal_0", {"#na#": 0, "a": 2}), "choices of 'edge_normal_0' to be numbered from 0"),
        (relabelled("edge_normal_0", None), "choices of 'edge_normal_0' to be numbered from 0, got None"),
    ],
)
def test_another_encoding_is_refused(tmp_path, spoil, complaint):
    names = encoding()
    spoil(names)
    with pytest.raises(UsageError) as caught:
        read_yahpo(write(tmp_path, names=names))
    assert complaint in str(caught.value)
    assert ENCODING in str(caught.value)


@pytest.mark.parametrize("name", [WEIGHTS, ENCODING])
def test_a_missing_or_truncated_file_is_named(tmp_path, name):
    path = write(tmp_path) / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(UsageError, match=f"{name}'.*Fetch it again"):
        read_yahpo(tmp_path)
    path.unlink()
    with pytest.raises(UsageError, match=f"{name}'.*nothing there"):
        read_yahpo(tmp_path)


@pytest.fixture(scope="module")
def folder(data_root):
    path = data_root / "nb301"
    if not (path / WEIGHTS).is_file():
        pytest.skip("no surrogate in the data folder")
    return path


@pytest.fixture(scope="module")
def surrogate(folder):
    return read_yahpo(folder)


@pytest.mark.data
@pytest.mark.parametrize(("name", "epochs", "accuracy", "seconds"), ANSWERS)
def test_answers_are_those_of_the_released_model(surrogate, name, epochs, accuracy, seconds):
    arch = published_genotype(name)
    assert surrogate.query(arch, key_of(epochs)) == pytest.approx(accuracy, abs=1e-3)
    assert surrogate.cost(arch, key_of(epochs)) == pytest.approx(seconds, abs=0.1)


@pytest.mark.data
def test_released_model_agrees_everywhere(folder, surrogate):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(folder / "yahpo_nb301_2021.onnx", providers=["CPUExecutionProvider"])
    names = json.loads((folder / ENCODING).read_text())
    rng = np.random.default_rng(0)
    for _ in range(100):
        arch, epochs = SPACE.sample(rng), int(rng.integers(1, 99))
        accuracy, seconds = session.run(
            None,
            {"x_cat": released_codes(arch, names), "x_cont": np.array([[epochs]], dtype=np.float32)},
        )[0][0]
        assert surrogate.query(arch, key_of(epochs)) == pytest.approx(accuracy, abs=1e-4)
        assert surrogate.cost(arch, key_of(epochs)) == pytest.approx(seconds, abs=0.02)


def released_codes(arch: Arch, names: dict) -> np.ndarray:
    """Encode by hand, gene by gene."""
    operations = ["#na#", "max_pool_3x3", "avg_pool_3x3", "skip_connect", "sep_conv_3x3", "sep_conv_5x5"]
    operations += ["dil_conv_3x3", "dil_conv_5x5"]
    chosen = {}
    for cell, genes in (("normal", arch.genes[:14]), ("reduce", arch.genes[14:])):
        chosen |= {f"edge_{cell}_{edge}": operations[gene] for edge, gene in enumerate(genes)}
        for node, offset in ((3, 2), (4, 5), (5, 9)):
            sources = [str(source) for source in range(node) if genes[offset + source]]
            chosen[f"inputs_node_{cell}_{node}"] = "_".join(sources)
    return np.array([[names["levels"][name][chosen[name]] for name in names["order"]]], dtype=np.int32)


@pytest.mark.data
def test_agreement_with_the_official_surrogate_is_the_published_one(folder, surrogate):
    sample = read_official_answers(folder / "nb301_xgb_v1_1218.json")
    official = sample.table(sample.keys()[0]).accuracy
    after = {epochs: surrogate.queries(sample.archs(), key_of(epochs)) for epochs in (50, 97, 98)}
    assert spearmanr(after[98], official)[0] == pytest.approx(0.90418, abs=1e-4)
    assert kendalltau(after[98], official)[0] == pytest.approx(0.73469, abs=1e-4)
    # The published bias is that of the last epoch.
    bias = {epochs: float((answers - official).mean()) for epochs, answers in after.items()}
    assert bias == pytest.approx({50: -4.2764, 97: 1.2279, 98: 1.3042}, abs=1e-3)


@pytest.mark.data
def test_training_longer_takes_longer(folder, surrogate):
    archs = list(read_official_answers(folder / "nb301_xgb_v1_1218.json").archs())[:20]
    for arch in archs:
        seconds = [surrogate.cost(arch, key_of(epochs)) for epochs in (1, 10, 50, 98)]
        assert seconds == sorted(seconds)
        assert 3_000 < seconds[-1] < 8_000


@pytest.mark.data
def test_a_copied_folder_is_all_it_needs(tmp_path, folder, surrogate):
    for name in (WEIGHTS, ENCODING):
        shutil.copy(folder / name, tmp_path)
    arch = published_genotype("GDAS")
    assert read_yahpo(tmp_path).query(arch, key_of(98)) == surrogate.query(arch, key_of(98))
