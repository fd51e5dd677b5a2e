"""`lnas retrain`: what it writes, how it goes on, what it refuses."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import safetensors.torch
import torch

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.retraining.retrain import retrain
from lnas.pipeline.retraining.training import weights_folder
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.spaces import NatsTopologySpace
from lnas.store import Pick, Store
from lnas.training import Retraining

DATA = DigitsData()
SPACE = NatsTopologySpace()
ARCH = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
OTHER = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
TRUTH = Truth("digits", "digits-1.0/digits/test@8/mean")
RECIPE = Retraining(epochs=2, batch_size=128)


def retrained(output: Path, **options: Any) -> StudyReport:
    defaults: dict[str, Any] = {"arch": ARCH, "net": NetBuilder(channels=4, cells=1), "recipe": RECIPE}
    defaults |= {"threads": 1, "quiet": True, "wandb": "off"}
    return retrain(DATA, output=str(output), **(defaults | options))


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("retrain") / "out"
    retrained(folder, truth=TRUTH)
    return folder


def results(output: Path) -> list[dict[str, Any]]:
    return pq.read_table(output / "results.parquet").to_pylist()


def weights(output: Path) -> dict[str, torch.Tensor]:
    return safetensors.torch.load_file(weights_folder(output, SPACE.parse(ARCH), 0) / "weights.safetensors")


def test_results_are_those_of_the_weights_that_were_kept(output: Path) -> None:
    (row,) = results(output)
    net = NetBuilder(channels=4, cells=1)(SPACE.parse(ARCH), DATA.num_classes).eval()
    net.load_state_dict(weights(output))
    images, labels = (torch.from_numpy(part) for part in DATA.splits["test"])
    normal = (images / 255 - torch.tensor(DATA.mean).view(1, 3, 1, 1)) / torch.tensor(DATA.std).view(1, 3, 1, 1)
    with torch.no_grad():
        accuracy = (net(normal).argmax(1) == labels).float().mean()
    assert row["test_acc"] == pytest.approx(100 * float(accuracy), abs=1e-4)
    assert row["test_acc_low"] < row["test_acc"] < row["test_acc_high"]
    assert row["benchmark"] == TRUTH.accuracies([SPACE.parse(ARCH)], SPACE)[0]


def test_the_page_has_the_curves_and_the_cell(output: Path) -> None:
    page = (output / "retrain.html").read_text()
    for text in ("val_acc", "train_loss", "nor_conv_3x3", "Wilson", TRUTH.key):
        assert text in page


def test_another_start_trains_nothing_again(output: Path) -> None:
    before = results(output)
    made = (weights_folder(output, SPACE.parse(ARCH), 0) / "weights.safetensors").stat().st_mtime_ns
    retrained(output, truth=TRUTH)
    assert results(output) == before
    assert (weights_folder(output, SPACE.parse(ARCH), 0) / "weights.safetensors").stat().st_mtime_ns == made


def stored(folder: Path, run: str, picks: list[Pick]) -> str:
    folder.mkdir()
    with closing(Store(folder / "store.sqlite")) as store:
        store.begin_run(run, {}, {})
        store.set_picks(run, picks)
    return str(folder)


def test_what_was_found_is_trained_as_if_it_had_been_named(output: Path, tmp_path: Path) -> None:
    picks = [Pick("winner", SPACE.parse(ARCH)), Pick("lowest", SPACE.parse(OTHER))]
    retrained(tmp_path / "again", arch=None, found=stored(tmp_path / "run", "run", picks))
    ours, theirs = weights(tmp_path / "again"), weights(output)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_folder_with_several_answers_asks_for_one(tmp_path: Path) -> None:
    picks = [Pick("evolution, seed 0", SPACE.parse(ARCH)), Pick("evolution, seed 1", SPACE.parse(OTHER))]
    with pytest.raises(UsageError, match="one architecture that was found") as error:
        retrained(tmp_path / "out", arch=None, found=stored(tmp_path / "search", "search", picks))
    assert "evolution, seed 1" in str(error.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"arch": None}, "either --arch or --found, got 'neither'"),
        ({"found": "x"}, "either --arch or --found, got 'both'"),
        ({"arch": None, "found": "nowhere"}, "a folder with a store"),
        ({"arch": [ARCH, ARCH]}, "each once"),
        ({"arch": "|nor_conv_9x9~0|"}, "nor_conv_9x9"),
        ({"recipe": Retraining(epochs=0)}, "epochs >= 1"),
        ({"threads": 0}, "threads >= 1"),
        ({"truth": Truth("digits", "digits-1.0/digits/test@9/mean")}, "@9"),
    ],
)
def test_bad_input_is_refused_before_a_folder_is_begun(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as error:
        retrained(tmp_path / "out", **options)
    assert said in str(error.value)
    assert not (tmp_path / "out").exists()


def test_fine_tuning_begins_with_the_weights_and_their_network(output: Path, tmp_path: Path) -> None:
    trained = weights_folder(output, SPACE.parse(ARCH), 0)
    still = Retraining(epochs=1, batch_size=128, lr=1e-12)
    retrained(tmp_path / "same", arch=None, weights=str(trained), recipe=still, net=BENCHMARK_NET)
    before, after = weights(output), weights(tmp_path / "same")
    learned = [name for name in before if name.endswith(("weight", "bias"))]
    assert all(torch.allclose(after[name], before[name], atol=1e-6) for name in learned)
    steps = {name: after[name] - before[name] for name in before if name.endswith("num_batches_tracked")}
    assert set(map(int, steps.values())) == {len(DATA.splits["train"]) // 128}


def test_fine_tuning_another_architecture_is_refused(output: Path, tmp_path: Path) -> None:
    trained = weights_folder(output, SPACE.parse(ARCH), 0)
    with pytest.raises(UsageError, match="expected those of nats_topology"):
        retrained(tmp_path / "out", arch=OTHER, weights=str(trained))


def test_other_test_images_than_those_of_the_weights_are_refused(output: Path, tmp_path: Path) -> None:
    trained = weights_folder(output, SPACE.parse(ARCH), 0)
    with pytest.raises(UsageError, match="the test images of their training"):
        retrain(DigitsData(seed=1), weights=str(trained), output=str(tmp_path / "out"), quiet=True, wandb="off")


def test_held_out_test_images_are_not_trained_on(tmp_path: Path) -> None:
    class Halved(DigitsData):
        holds_out_test_images = True

    with pytest.raises(UsageError, match="no test images"):
        retrain(Halved(), ARCH, recipe=Retraining(trained_on="train+val"), output=str(tmp_path / "out"), quiet=True)


def test_accumulated_batches_report_the_loss_of_one(tmp_path: Path) -> None:
    still: dict[str, Any] = {"epochs": 1, "batch_size": 64, "lr": 1e-9, "augment": False}
    for accumulate in (1, 4):
        retrained(tmp_path / str(accumulate), recipe=Retraining(accumulate=accumulate, **still))
    one, four = (train_loss(tmp_path / name) for name in ("1", "4"))
    assert four == pytest.approx(one, rel=0.02)


def train_loss(output: Path) -> float:
    with closing(sqlite3.connect(output / "store.sqlite")) as store:
        ((value,),) = store.execute("SELECT value FROM curves WHERE series = 'train_loss'").fetchall()
    return float(value)
