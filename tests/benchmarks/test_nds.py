from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.benchmarks import AccuracyKey
from lnas.benchmarks.nds import read_nds
from lnas.errors import UsageError
from lnas.spaces import NatsSizeSpace, NdsResNetSpace, NdsResNeXtASpace
from lnas.types import Arch

RESNET, RESNEXT = NdsResNetSpace(), NdsResNeXtASpace()
SMALL, LARGE, OTHER = (Arch("nds_resnet", genes) for genes in ((0,) * 6, (2, 2, 2, 3, 5, 7), (1, 0, 3, 11, 0, 4)))


def key_of(split: str, seed: int | str, epochs: int = 3) -> AccuracyKey:
    return AccuracyKey("nds", "cifar10", split, epochs, seed)


def record(arch: Arch = SMALL, errors=(30.0, 9.5, 10.0), seed: int = 1, space=RESNET, **changes) -> dict:
    """A training as the release writes it; fields that are not read are among it."""
    net = {"block_type": "res_basic_block", "bot_muls": [], "num_gs": [], **json.loads(space.format(arch))}
    counts = {"params": 1000 + sum(arch.genes), "flops": 5000 + sum(arch.genes)}
    fields = {
        "job_id": 17,
        "rng_seed": seed,
        "net": net,
        "optim": {"base_lr": 0.1, "wd": 0.0005, "max_ep": len(errors)},
        **counts,
        "act_mem": 2.5,
        "exp_mem": 1.5,
        "prec_time": 0.011,
        "iter_time": 0.072,
        "min_test_top1": min(errors),
        "test_ep_top1": list(errors),
        "train_ep_top1": [50.0] * len(errors),
        "train_ep_loss": [float("nan")] * len(errors),
    }
    return {name: value for name, value in (fields | changes).items() if value != "absent"}


def write(folder, records, name="ResNet.json"):
    path = folder / name
    path.write_text(records if isinstance(records, str) else json.dumps(records))
    return path


def test_last_and_best_epoch_have_keys_of_their_own(tmp_path):
    table = read_nds(write(tmp_path, [record(SMALL, (30.0, 9.5, 10.0)), record(LARGE, (20.0, 8.0, 7.0))]), RESNET)
    assert set(table.keys()) == {key_of("test", 1), key_of("test-best-epoch", 1)}
    assert list(table.archs()) == [SMALL, LARGE]
    assert table.table(key_of("test", 1)).accuracy.tolist() == [90.0, 93.0]
    assert table.table(key_of("test-best-epoch", 1)).accuracy.tolist() == [90.5, 93.0]
    assert table.curve(SMALL, key_of("test", 1), "accuracy").tolist() == [70.0, 90.5, 90.0]
    assert {name: values.tolist() for name, values in table.counts.items()} == {
        "trainings": [1, 1],
        "params": [1000, 1021],
        "flops": [5000, 5021],
    }


def test_the_recorded_best_counts_not_the_curve(tmp_path):
    table = read_nds(write(tmp_path, [record(min_test_top1=9.375)]), RESNET)
    assert table.query(SMALL, key_of("test-best-epoch", 1)) == 90.625


def test_files_of_several_seeds_become_seeds_and_a_mean(tmp_path):
    errors = {1: 10.0, 2: 11.0, 3: 15.0}
    paths = [
        write(tmp_path, [record(SMALL, (30, 9, error), seed)], f"ResNet_rng{seed}.json")
        for seed, error in errors.items()
    ]
    table = read_nds(paths, RESNET)
    assert [table.query(SMALL, key_of("test", seed)) for seed in (1, 2, 3)] == [90.0, 89.0, 85.0]
    assert table.query(SMALL, key_of("test", "mean")) == 88.0
    assert table.query(SMALL, key_of("test-best-epoch", "mean")) == 91.0
    assert table.curve(SMALL, key_of("test", "mean"), "accuracy").tolist() == [70.0, 91.0, 88.0]
    assert table.counts["trainings"].tolist() == [3]


def test_a_net_without_a_seed_says_which_it_has(tmp_path):
    one = write(tmp_path, [record(SMALL), record(LARGE)], "ResNet_rng1.json")
    two = write(tmp_path, [record(LARGE, (30.0, 9.0, 9.0), 2), record(OTHER, (30.0, 8.0, 8.0), 2)], "ResNet_rng2.json")
    table = read_nds([one, two], RESNET)
    assert table.query(LARGE, key_of("test", "mean")) == 90.5
    assert table.query(OTHER, key_of("test", "mean")) == 92.0
    for read in (lambda key: table.query(SMALL, key), lambda key: table.curve(SMALL, key, "accuracy")):
        with pytest.raises(UsageError, match="expected a seed it was trained with: 1, mean, got 2"):
            read(key_of("test", 2))


def test_one_seed_has_no_mean(tmp_path):
    table = read_nds(write(tmp_path, [record()]), RESNET)
    with pytest.raises(UsageError, match=r"no accuracies under .*@3/mean'\. It has: nds/cifar10/test@3/1, "):
        table.query(SMALL, key_of("test", "mean"))


def test_no_cost_is_invented(tmp_path):
    table = read_nds(write(tmp_path, [record()]), RESNET)
    with pytest.raises(UsageError, match="no recorded time under"):
        table.cost(SMALL, key_of("test", 1))


def test_a_net_drawn_twice_has_the_mean_of_both_trainings(tmp_path):
    records = [record(SMALL, (30.0, 9.0, 10.0)), record(LARGE), record(SMALL, (32.0, 11.0, 11.0))]
    table = read_nds(write(tmp_path, records), RESNET)
    assert len(table) == 2
    assert table.query(SMALL, key_of("test", 1)) == 89.5
    assert table.query(SMALL, key_of("test-best-epoch", 1)) == 90.0
    assert table.curve(SMALL, key_of("test", 1), "accuracy").tolist() == [69.0, 90.0, 89.5]
    assert table.counts["trainings"].tolist() == [2, 1]


def test_mean_weighs_every_training_alike(tmp_path):
    records = [
        record(errors=(30.0, 10.0), seed=1),
        record(errors=(30.0, 13.0), seed=1),
        record(errors=(9.0, 16.0), seed=2),
    ]
    table = read_nds(write(tmp_path, records), RESNET)
    assert table.query(SMALL, key_of("test", "mean", epochs=2)) == 87.0


def test_the_same_training_twice_is_refused(tmp_path):
    path = write(tmp_path, [record(SMALL), record(LARGE)])
    with pytest.raises(UsageError, match=r"each training once, got 'one of nds_resnet:0-0-0-0-0-0 with seed 1 twice'"):
        read_nds([path, path], RESNET)


def test_reruns_stand_under_top_and_mid(tmp_path):
    reruns = {"top": [record(LARGE, seed=5), record(LARGE, (30.0, 8.0, 8.0), seed=6)], "mid": [record(SMALL, seed=5)]}
    table = read_nds(write(tmp_path, reruns, "ResNet_reruns.json"), RESNET)
    assert list(table.archs()) == [LARGE, SMALL]
    assert table.query(LARGE, key_of("test", "mean")) == 91.0


def test_bottleneck_nets_are_of_their_space(tmp_path):
    arch = Arch("nds_resnext_a", (1, 2, 3, 0, 1, 4, 0, 1, 2, 0, 1, 2))
    net = json.loads(RESNEXT.format(arch)) | {"block_type": "res_bottleneck_block"}
    table = read_nds(write(tmp_path, [record(arch, space=RESNEXT, net=net)], "ResNeXt-A.json"), RESNEXT)
    assert list(table.archs()) == [arch]
    with pytest.raises(UsageError, match=r"record 0: expected a net of 'nds_resnet', got \{"):
        read_nds(tmp_path / "ResNeXt-A.json", RESNET)


def test_counts_that_are_not_recorded_are_left_out(tmp_path):
    table = read_nds(write(tmp_path, [record(flops="absent"), record(LARGE)]), RESNET)
    assert set(table.counts) == {"trainings", "params"}


@settings(deadline=None, max_examples=50)
@given(
    drawn=st.lists(
        st.tuples(st.sampled_from([SMALL, LARGE, OTHER]), st.integers(0, 2), st.integers(0, 40)),
        min_size=1,
        max_size=12,
        unique=True,
    )
)
def test_means_are_those_of_the_trainings(tmp_path_factory, drawn):
    records = [record(arch, (50.0, float(error)), seed) for arch, seed, error in drawn]
    table = read_nds(write(tmp_path_factory.mktemp("nds"), records), RESNET)
    for arch in {arch for arch, _, _ in drawn}:
        for seed in {seed for _, seed, _ in drawn}:
            errors = [error for other, its_seed, error in drawn if (other, its_seed) == (arch, seed)]
            if errors:
                assert table.query(arch, key_of("test", seed, 2)) == pytest.approx(100 - np.mean(errors))
        if len({seed for _, seed, _ in drawn}) > 1:
            errors = [error for other, _, error in drawn if other == arch]
            assert table.query(arch, key_of("test", "mean", 2)) == pytest.approx(100 - np.mean(errors))


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        ("", "expected whole JSON"),
        (json.dumps([record(), record(LARGE)])[:-200], "expected whole JSON"),
        ({"nets": []}, "expected a list of trainings, or lists under 'top' and 'mid', got {'nets': []}"),
        ({"top": [], "mid": 3}, "expected a list of trainings, or lists under 'top' and 'mid', got 3"),
        ([], "expected at least one training, got 'none'"),
        ([3], "record 0: expected an object with net, rng_seed, min_test_top1, test_ep_top1"),
        ([record(), record(LARGE, net="absent")], "record 1: expected an object with net, "),
        ([record(rng_seed="absent")], "got 'no rng_seed'"),
        ([record(min_test_top1="absent", test_ep_top1="absent")], "got 'no min_test_top1, test_ep_top1'"),
        ([record(test_ep_top1=[])], "record 0: expected 'test_ep_top1' to be a list, got []"),
        ([record(test_ep_top1=9.5)], "record 0: expected 'test_ep_top1' to be a list, got 9.5"),
        ([record(test_ep_top1=[9.5, float("nan")])], "record 0: expected test errors in percent, got nan"),
        ([record(min_test_top1=float("nan"))], "record 0: expected test errors in percent, got nan"),
        ([record(min_test_top1=None)], "record 0: expected test errors in percent, got None"),
        ([record(min_test_top1=-3)], "record 0: expected test errors in percent, got -3"),
        ([record(test_ep_top1=[9.5, 200.0])], "record 0: expected test errors in percent, got 200.0"),
        ([record(rng_seed=-1)], "record 0: expected a seed in 'rng_seed', got -1"),
        ([record(rng_seed=[1, 2, 3])], "record 0: expected a seed in 'rng_seed', got [1, 2, 3]"),
        ([record(params=1.5)], "record 0: expected a whole number as 'params', got 1.5"),
        ([record(flops=float("nan"))], "record 0: expected a whole number as 'flops', got nan"),
        ([record(net={"genotype": {"normal": []}})], "record 0: expected a net of 'nds_resnet', got {'genotype'"),
        ([record(net=None)], "record 0: expected a net of 'nds_resnet', got None"),
        ([record(errors=(9.0, 8.0)), record(LARGE)], "expected trainings of one length, got '2 and 3 epochs'"),
        ([record(), record(LARGE, optim={"base_lr": 0.2})], "expected one 'optim' for all trainings"),
        ([record(), record(seed=2, params=7)], "expected one number of params and flops per net"),
    ],
)
def test_what_is_no_such_file_gives_one_clear_error(tmp_path, records, complaint):
    with pytest.raises(UsageError) as caught:
        read_nds(write(tmp_path, records), RESNET)
    assert complaint in str(caught.value)
    assert "ResNet.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(UsageError, match="expected a JSON file, got 'nothing there'"):
        read_nds(tmp_path / "ResNet.json", RESNET)
    with pytest.raises(UsageError, match="expected a JSON file, got 'a folder'"):
        read_nds(tmp_path, RESNET)
    with pytest.raises(UsageError, match="expected at least one training, got 'none'"):
        read_nds([], RESNET)


def test_sweeps_on_imagenet_are_refused(tmp_path):
    with pytest.raises(UsageError, match="expected a sweep on CIFAR-10, got 'one on ImageNet'"):
        read_nds(write(tmp_path, [record()], "ResNeXt-A_in.json"), RESNET)


def test_another_kind_of_space_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"expected a space of residual nets, got 'NatsSizeSpace'"):
        read_nds(write(tmp_path, [record()]), NatsSizeSpace())
