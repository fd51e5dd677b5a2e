from __future__ import annotations

import contextlib
import copy
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.benchmarks.nats.records import read_record, sizes
from lnas.errors import UsageError

WIDTHS = "8:8:8:16:32"
INDEX = 11
quickly = settings(deadline=None, max_examples=50)


def run(dataset: str, seed: int, splits: list[str], last: float = 60.0) -> dict:
    """A training of two epochs: 1 + 3 seconds of training, 0.5 + 1.5 of evaluations on each split."""
    names = [f"{split}@{epoch}" for split in splits for epoch in range(2)]
    return {
        "name": dataset,
        "seed": f"{seed:04d}",
        "epochs": 2,
        "params": 0.049202,
        "flop": 6.84065,
        "latency": [0.01, 0.03],
        "train_acc1es": {0: 30.0, 1: 70.0},
        "train_losses": {0: 2.0, 1: 1.0},
        "train_times": {0: 1.0, 1: 3.0},
        "eval_names": splits,
        "eval_acc1es": {name: last - 20 * name.endswith("@0") for name in names},
        "eval_losses": {name: 1.5 + name.endswith("@0") for name in names},
        "eval_times": {name: 1.5 - name.endswith("@0") for name in names},
    }


def record() -> dict:
    """A record with three trainings of two epochs."""
    return {
        "02": {
            "arch_index": INDEX,
            "arch_str": WIDTHS,
            "dataset_seed": {"cifar10-valid": [777, 888], "cifar100": [777]},
            "all_results": {
                ("cifar10-valid", 888): run("cifar10-valid", 888, ["x-valid", "ori-test"], 50.0),
                ("cifar10-valid", 777): run("cifar10-valid", 777, ["x-valid", "ori-test"]),
                ("cifar100", 777): run("cifar100", 777, ["x-valid", "x-test", "ori-test"]),
            },
        }
    }


def read(content, curves="none"):
    return read_record(content, INDEX, WIDTHS, "000011.pickle.pbz2", curves)


def one(**changed):
    """A record whose only training differs in these parts."""
    content = record()["02"]
    content["dataset_seed"] = {"cifar10-valid": [777]}
    training = content["all_results"]["cifar10-valid", 777] | changed
    content["all_results"] = {("cifar10-valid", 777): training}
    return {"02": content}


def test_every_training_is_read():
    assert [(item.dataset, item.epochs, item.seed) for item in read(record())] == [
        ("cifar10-valid", 2, 777),
        ("cifar10-valid", 2, 888),
        ("cifar100", 2, 777),
    ]


def test_accuracies_are_those_after_the_last_epoch():
    first, second, third = read(record())
    assert first.accuracies == {"train": 70.0, "x-valid": 60.0, "ori-test": 60.0}
    assert second.accuracies == {"train": 70.0, "x-valid": 50.0, "ori-test": 50.0}
    assert list(third.accuracies) == ["train", "x-valid", "x-test", "ori-test"]


def test_cost_is_the_whole_training_and_one_evaluation():
    assert read(record())[0].seconds == {"train": 4.0, "x-valid": 5.0, "ori-test": 5.0}


def test_counts_are_whole_numbers():
    training = read(record())[0]
    assert (training.params, training.flops) == (49_202, 6_840_650)
    assert {type(training.params), type(training.flops)} == {int}


@pytest.mark.parametrize(("recorded", "latency"), [([0.01, 0.03], 0.02), ([], None), (None, None)])
def test_latency_is_the_mean_of_those_measured(recorded, latency):
    assert read(one(latency=recorded))[0].latency == pytest.approx(latency)


def test_curves_are_read_when_asked_for():
    assert read(record())[0].curves == {}
    assert read(record(), "all")[0].curves == {
        ("train", "accuracy"): [30.0, 70.0],
        ("train", "loss"): [2.0, 1.0],
        ("x-valid", "accuracy"): [40.0, 60.0],
        ("x-valid", "loss"): [2.5, 1.5],
        ("ori-test", "accuracy"): [40.0, 60.0],
        ("ori-test", "loss"): [2.5, 1.5],
    }


def test_a_split_that_was_evaluated_at_the_end_only_has_no_curve():
    content = one()
    del content["02"]["all_results"]["cifar10-valid", 777]["eval_acc1es"]["ori-test@0"]
    [training] = read(content, "all")
    assert training.accuracies["ori-test"] == 60.0
    assert ("ori-test", "accuracy") not in training.curves
    assert ("ori-test", "loss") in training.curves


def test_sizes_are_those_of_the_network_for_each_dataset():
    assert sizes(read(record())) == {"cifar10-valid": (49_202, 6_840_650), "cifar100": (49_202, 6_840_650)}


def test_seed_888_decides_where_sizes_disagree():
    content = record()
    content["02"]["all_results"]["cifar10-valid", 777]["params"] = 0.02
    assert sizes(read(content))["cifar10-valid"] == (49_202, 6_840_650)
    content["02"]["all_results"]["cifar10-valid", 888]["params"] = 0.03
    assert sizes(read(content))["cifar10-valid"] == (30_000, 6_840_650)


def test_the_longest_trainings_decide_the_size():
    short = one(params=0.02)
    short["02"]["all_results"]["cifar10-valid", 777]["epochs"] = 1
    assert sizes(read({"01": short["02"], **one()})) == {"cifar10-valid": (49_202, 6_840_650)}


def test_sizes_that_nothing_decides_are_an_error():
    content = record()
    content["02"]["dataset_seed"]["cifar10-valid"] = [777, 999]
    runs = content["02"]["all_results"]
    runs["cifar10-valid", 999] = runs.pop(("cifar10-valid", 888)) | {"seed": "0999", "flop": 1.0}
    with pytest.raises(UsageError, match=r"cifar10-valid: expected the same parameters and FLOPs with each seed, got"):
        sizes(read(content))


def changed(*path):
    """A record with another value, the last of these, under the keys before it."""
    *keys, last, value = path
    content = record()
    part = content
    for key in keys:
        part = part[key]
    part[last] = value
    return content


def without(*path):
    *keys, last = path
    content = record()
    part = content
    for key in keys:
        part = part[key]
    del part[last]
    return content


RUN = ("02", "all_results", ("cifar10-valid", 777))


@pytest.mark.parametrize(
    ("content", "complained"),
    [
        (None, ": expected a dict by str, got None."),
        ([1], ": expected a dict by str, got 'list'."),
        ({}, ": expected at least one training, got 'none'."),
        ({12: {}}, ": expected a dict by str, got 'dict'."),
        ({"twelve": {}}, ": expected numbers of epochs, as 01, 12 or 200, got 'twelve'."),
        ({"00": record()["02"]}, "got '00'."),
        ({"2": record()["02"]}, "got '2'."),
        ({"9" * 5000: record()["02"]}, "expected numbers of epochs, as 01, 12 or 200, got '999"),
        ({"\N{ARABIC-INDIC DIGIT ONE}" * 2: record()["02"]}, "expected numbers of epochs"),
        ({"02": []}, ", 02: expected a dict with 'arch_index', got 'list'."),
        (changed("02", "arch_index", 12), ", 02, arch_index: expected 11, got 12."),
        (changed("02", "arch_index", "11"), ", 02, arch_index: expected 11, got '11'."),
        (changed("02", "arch_index", [[]] * 9), ", 02, arch_index: expected 11, got 'list'."),
        (changed("02", "arch_str", "8:8:8:8:8"), ", 02, arch_str: expected '8:8:8:16:32', got '8:8:8:8:8'."),
        (without("02", "arch_str"), ", 02: expected a dict with 'arch_str', got 'dict'."),
        (without("02", "all_results"), ", 02: expected a dict with 'all_results', got 'dict'."),
        (without(*RUN), "all_results: expected the runs that `dataset_seed` lists, got 'others'."),
        (changed("02", "dataset_seed", {"cifar10-valid": [777]}), "the runs that `dataset_seed` lists"),
        (changed("02", "dataset_seed", "cifar100", [777, 777]), "the runs that `dataset_seed` lists"),
        (changed("02", "dataset_seed", "cifar100", 777), "cifar100: expected a list of int, got 777."),
        (changed("02", "dataset_seed", "cifar100", [True]), "cifar100: expected a list of int, got 'list'."),
        ({"02": record()["02"] | {"all_results": {}, "dataset_seed": {}}}, ": expected at least one training"),
        (changed(*RUN, None), "777): expected a dict with 'name', got None."),
        (changed(*RUN, "name", "cifar10"), "777), name: expected 'cifar10-valid', got 'cifar10'."),
        (changed(*RUN, "seed", "0888"), "777), seed: expected '0777', got '0888'."),
        (changed(*RUN, "epochs", 12), "777), epochs: expected 2, got 12."),
        (changed(*RUN, "epochs", 2.0), "777), epochs: expected 2, got 2.0."),
        (changed(*RUN, "eval_names", ["x-valid", "x-test"]), "expected splits of x-valid, ori-test, got 'x-test'."),
        (changed(*RUN, "eval_names", ["train"]), "expected splits of x-valid, ori-test, got 'train'."),
        (changed(*RUN, "eval_names", "x-valid"), "eval_names: expected a list of str, got 'x-valid'."),
        (changed(*RUN, "params", math.nan), "777): expected a number in 0..inf under 'params', got nan."),
        (changed(*RUN, "params", math.inf), "under 'params', got inf."),
        (changed(*RUN, "flop", -1.0), "under 'flop', got -1.0."),
        (changed(*RUN, "flop", "6.8"), "under 'flop', got '6.8'."),
        (changed(*RUN, "flop", None), "under 'flop', got None."),
        (changed(*RUN, "latency", 0.01), "latency: expected a list of float, got 0.01."),
        (changed(*RUN, "train_times", None), "train_times: expected a number in 0..inf under 0, got None."),
        (changed(*RUN, "train_times", 1, math.nan), "train_times: expected a number in 0..inf under 1, got nan."),
        (changed(*RUN, "eval_times", "x-valid@0", True), "eval_times: expected a number in 0..inf under 'x-valid@0'"),
        (changed(*RUN, "eval_acc1es", "x-valid@1", 100.1), "in 0..100 under 'x-valid@1', got 100.1."),
        (changed(*RUN, "eval_acc1es", "x-valid@1", math.nan), "in 0..100 under 'x-valid@1', got nan."),
        (without(*RUN, "eval_acc1es", "ori-test@1"), "in 0..100 under 'ori-test@1', got None."),
        (changed(*RUN, "train_acc1es", 1, -0.1), "train_acc1es: expected a number in 0..100 under 1, got -0.1."),
    ],
)
def test_a_record_that_is_not_what_it_says_is_one_clear_error(content, complained):
    with pytest.raises(UsageError) as caught:
        read(content)
    text = str(caught.value)
    assert text.startswith("NATS-Bench file '000011.pickle.pbz2'")
    assert complained in text
    assert text.endswith("Fetch it again.")
    assert "\n" not in text


def test_a_dataset_that_the_benchmark_does_not_have_is_named():
    content = record()
    content["02"]["dataset_seed"]["svhn"] = [777]
    content["02"]["all_results"]["svhn", 777] = run("svhn", 777, ["x-valid"])
    with pytest.raises(UsageError, match=r"datasets of cifar10-valid, cifar10, cifar100, ImageNet16-120, got 'svhn'"):
        read(content)


def test_a_curve_with_nan_is_an_error_only_where_curves_are_read():
    content = one(train_losses={0: math.nan, 1: 1.0})
    assert read(content)
    with pytest.raises(UsageError, match=r"train_losses: expected a number in 0..inf under 0, got nan"):
        read(content, "all")


def parts(value, path=()):
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from parts(item, (*path, key))


@quickly
@given(st.sampled_from(list(parts(record()))), st.none() | st.text() | st.lists(st.integers()) | st.just({}))
def test_no_wrong_part_escapes(path, value):
    content = changed(*path, value)
    before = copy.deepcopy(content)
    with contextlib.suppress(UsageError):
        assert read(content, "all")
    assert content == before
