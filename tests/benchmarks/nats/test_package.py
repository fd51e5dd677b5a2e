from __future__ import annotations

import bz2
import os
import pickle
import shutil
from pathlib import Path

import pytest

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.nats.package import open_package
from lnas.errors import UsageError
from lnas.types import Arch

WIDTHS = Arch("nats_size", (0, 0, 0, 1, 3))


@pytest.fixture(scope="module")
def sizes(data_root):
    """The official folder of the size space with three records."""
    path = data_root / "nb201" / "official_samples" / "NATS-sss-v1_0-50262-simple"
    if not path.is_dir():
        pytest.skip(f"no {path.name} in the data folder")
    return path


@pytest.fixture
def folder(sizes, tmp_path):
    """A copy of it, to be damaged."""
    return Path(shutil.copytree(sizes, tmp_path / "nats", copy_function=shutil.copyfile))


@pytest.fixture(scope="module")
def benchmark(sizes):
    return open_package(sizes, trusted=True)


def key(text: str) -> AccuracyKey:
    return AccuracyKey.parse(f"nats-1.0/{text}")


@pytest.mark.parametrize("trusted", [False, None, "yes", 1])
def test_nothing_is_opened_unless_it_is_trusted(tmp_path, trusted):
    with pytest.raises(UsageError) as caught:
        open_package(tmp_path / "nats", trusted)
    assert "expected trusted=True, for nats_bench runs what the files say" in str(caught.value)
    assert str(caught.value).endswith(f"lnas bench import nats {tmp_path}/nats")


@pytest.mark.data
def test_answers_are_the_packages_own(benchmark):
    """Read off the record with `pickle`."""
    assert benchmark.card.name == "nats_sss"
    assert benchmark.query(WIDTHS, key("cifar10-valid/x-valid@1/777")) == 26.371999998168945
    assert benchmark.query(WIDTHS, key("cifar100/ori-test@90/777")) == 54.07
    assert benchmark.query(WIDTHS, key("cifar10/ori-test@90/mean")) == 85.77
    assert benchmark.query(WIDTHS, key("ImageNet16-120/train@90/777")) == 25.478576138319745
    assert benchmark.cost(WIDTHS, key("cifar10-valid/train@1/777")) == 2.9399166107177734
    assert benchmark.cost(WIDTHS, key("cifar10-valid/x-valid@1/777")) == 2.9399166107177734 + 1.3633019924163818
    assert benchmark.cost(WIDTHS, key("cifar100/ori-test@1/777")) == 5.53662633895874 + 0.6019599437713623


@pytest.mark.data
def test_the_cost_is_that_of_a_simulated_training(sizes, benchmark):
    """The package's own `simulate_train_eval` draws one of the seeds, which cost the same here."""
    for dataset in ("cifar10", "cifar100", "ImageNet16-120"):
        *_, seconds, _ = benchmark._api.simulate_train_eval(11, dataset, hp="12", account_time=False)
        trained_on = "cifar10-valid" if dataset == "cifar10" else dataset
        assert benchmark.cost(WIDTHS, key(f"{trained_on}/x-valid@12/mean")) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.data
def test_keys_are_those_of_the_records(benchmark):
    keys = benchmark.keys()
    assert len(keys) == len({*keys}) == 104
    assert {which.epochs for which in keys} == {1, 12, 90}
    assert key("cifar10/ori-test@12/888") in keys
    assert key("cifar10/x-valid@12/888") not in keys


@pytest.mark.data
@pytest.mark.parametrize(
    ("arch", "text", "complained"),
    [
        (WIDTHS, "cifar10/x-valid@12/888", "has no accuracies under 'nats-1.0/cifar10/x-valid@12/888'. It has: "),
        (WIDTHS, "cifar10/ori-test@200/777", "has no accuracies under 'nats-1.0/cifar10/ori-test@200/777'."),
        (WIDTHS, "svhn/x-valid@12/mean", "has no accuracies under"),
        (WIDTHS, "cifar10/ori-test@90/888", "expected a seed it was trained with: mean, 777, got 888. Name another."),
        (Arch("nats_size", (1, 1, 1, 1, 1)), "cifar10/ori-test@12/mean", "expected one of its 3 architectures, got"),
        (Arch("nats_size", (9, 1, 1, 1, 1)), "cifar10/ori-test@12/mean", "in 0..7, got 9"),
        (Arch("nats_topology", (0,) * 6), "cifar10/ori-test@12/mean", "an arch of 'nats_size'"),
    ],
)
def test_what_it_does_not_know_is_one_clear_error(benchmark, arch, text, complained):
    for ask in (benchmark.query, benchmark.cost):
        with pytest.raises(UsageError) as caught:
            ask(arch, key(text))
        assert complained in str(caught.value)


@pytest.mark.data
def test_nothing_is_printed(sizes, capfd):
    benchmark = open_package(sizes, trusted=True)
    benchmark.query(WIDTHS, benchmark.keys()[0])
    assert capfd.readouterr() == ("", "")


class Calls:
    def __init__(self, function, *arguments) -> None:
        self.calling = function, arguments

    def __reduce__(self):
        return self.calling


@pytest.mark.data
def test_a_trusted_file_may_run_anything(folder):
    """Why there is a restricted reader."""
    record = Calls(os.mkdir, str(folder / "it ran"))
    (folder / "000011.pickle.pbz2").write_bytes(bz2.compress(pickle.dumps(record, protocol=4)))
    with pytest.raises(UsageError, match="expected what nats_bench reads, got 'AssertionError: "):
        open_package(folder, trusted=True).query(WIDTHS, key("cifar10/ori-test@12/mean"))
    assert (folder / "it ran").is_dir()


@pytest.mark.data
def test_a_damaged_record_is_one_clear_error(folder):
    (folder / "000011.pickle.pbz2").write_bytes(b"nothing")
    with pytest.raises(UsageError, match=r"000011.pickle.pbz2': expected what nats_bench reads, got 'OSError: "):
        open_package(folder, trusted=True).query(WIDTHS, key("cifar10/ori-test@12/mean"))


def test_what_is_no_official_folder_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"expected meta.pickle.pbz2 in it, got 'none'"):
        open_package(tmp_path, trusted=True)
