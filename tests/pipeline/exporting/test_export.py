"""`lnas export`: what is written says what the training reached, and what is refused."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import pytest
import safetensors.torch
import timm
import torch
from torch import nn

from lnas.data import DigitsData, Split, SplitName
from lnas.data.batches import PreparedBatches
from lnas.errors import RunError, UsageError
from lnas.nets import NetBuilder, isolated_randomness
from lnas.nets.trained_file import MODEL, read_trained, write_trained
from lnas.pipeline.exporting.accuracies import accuracy_on_test
from lnas.pipeline.exporting.export import FORMS, export
from lnas.pipeline.exporting.trained import trained_net
from lnas.pipeline.retraining.training import weights_folder
from lnas.spaces import NatsTopologySpace
from lnas.store import Pick, Store
from lnas.training import Retraining
from lnas.types import Arch

DATA = DigitsData()
SPACE = NatsTopologySpace()
CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
OTHER = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
SMALL = NetBuilder(channels=4, cells=1)


def briefly_trained(arch: Arch) -> nn.Module:
    """Train for three passes over the digits: enough for batch norms to matter."""
    with isolated_randomness(0):
        net = SMALL(arch, DATA.num_classes)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        for _ in range(3):
            for images, labels in PreparedBatches(DATA.splits["train"], DATA, 64):
                optimizer.zero_grad()
                nn.functional.cross_entropy(net(images), labels).backward()
                optimizer.step()
    return net.eval()


def keep(net: nn.Module, arch: Arch, folder: Path, seed: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {name: tensor.contiguous() for name, tensor in net.state_dict().items()}
    safetensors.torch.save_file(tensors, folder / "weights.safetensors")
    reached = {"test_acc": accuracy_on_test(net, DATA), "val_acc": float("nan")}
    write_trained(folder, trained_net(arch, SMALL, DATA, reached, Retraining(epochs=3), seed, 3))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run with a winner and a control."""
    folder = tmp_path_factory.mktemp("run")
    archs = [SPACE.parse(CELL), SPACE.parse(OTHER)]
    for arch in archs:
        keep(briefly_trained(arch), arch, weights_folder(folder, arch, 0))
    with closing(Store(folder / "store.sqlite")) as store:
        store.begin_run("run", {"rank": "angle+loss", "seed": 0}, {})
        store.set_picks("run", [Pick("winner", archs[0]), Pick("random", archs[1])])
    return folder


@pytest.fixture(scope="module")
def winner(run: Path) -> Path:
    return weights_folder(run, SPACE.parse(CELL), 0)


def test_the_winner_is_taken_home_with_the_accuracy_that_it_had(run: Path, winner: Path, tmp_path: Path) -> None:
    checks = export(str(run), str(tmp_path / "home"), ["safetensors"], data=DATA, quiet=True)
    reached = read_trained(winner).metrics["test_acc"]
    assert reached > 0.3
    assert [(check.file, check.difference, check.accuracy) for check in checks] == [
        ("model.safetensors", 0.0, reached),
        ("config.json", 0.0, reached),
    ]
    home = read_trained(tmp_path / "home")
    assert (home.arch, home.metrics, home.epoch) == (SPACE.parse(CELL), {"test_acc": reached}, 3)
    assert home.origin == {"command": "lnas run", "role": "winner", "rank": "angle+loss", "seed": 0}
    assert ElementTree.parse(tmp_path / "home" / "cell.svg").getroot().tag.endswith("svg")
    assert f"{100 * reached:.2f}" in (tmp_path / "home" / "README.md").read_text()


def test_files_that_it_did_not_write_are_left_alone(winner: Path, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(UsageError, match=r"a folder of its own, got 'README\.md'"):
        export(str(winner), str(tmp_path), ["safetensors"], quiet=True)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_an_export_is_exported_again_to_the_same_bytes(winner: Path, tmp_path: Path) -> None:
    for source, output in ((winner, tmp_path / "a"), (tmp_path / "a", tmp_path / "b"), (winner, tmp_path / "b")):
        export(str(source), str(output), ["safetensors"], quiet=True)
    for name in ("model.safetensors", MODEL, "config.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.slow
def test_every_form_is_as_good_as_the_network(run: Path, winner: Path, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    checks = export(str(run), str(tmp_path), FORMS, arch=CELL, data=DATA, quiet=True)
    assert [check.file for check in checks] == ["model.safetensors", "config.json", "model.pt2", "model.onnx"]
    assert {check.accuracy for check in checks} == {read_trained(winner).metrics["test_acc"]}
    assert max(check.difference for check in checks) <= 1e-4
    (images, _), *_ = PreparedBatches(DATA.splits["test"], DATA, 5)
    program = torch.export.load(tmp_path / "model.pt2").module()
    assert torch.allclose(program(images), read_trained(winner).build()(images), atol=1e-5)


def test_the_folder_is_one_of_timm(winner: Path, tmp_path: Path) -> None:
    export(str(winner), str(tmp_path), ["safetensors"], quiet=True)
    model = timm.create_model(f"local-dir:{tmp_path}", pretrained=True, num_classes=4)
    assert model.classifier.out_features == 4
    assert timm.data.resolve_model_data_config(model)["mean"] == list(DATA.mean)
    assert timm.data.resolve_model_data_config(model)["input_size"] == [3, 8, 8]


def test_several_architectures_are_listed(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "retrain", tmp_path / "retrain")
    with pytest.raises(UsageError, match=r"expected one architecture, got '.*; .*'. Choose one by --arch") as caught:
        export(str(tmp_path), str(tmp_path / "home"), ["safetensors"], quiet=True)
    assert CELL in str(caught.value)
    assert OTHER in str(caught.value)
    export(str(tmp_path), str(tmp_path / "home"), ["safetensors"], arch=OTHER, quiet=True)
    assert read_trained(tmp_path / "home").notation == OTHER


def test_a_control_is_not_taken_for_the_winner(run: Path, winner: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / winner.relative_to(run))
    with pytest.raises(UsageError, match=r"expected weights of nats_topology:3-0-2-1-0-3, got '\|avg_pool_3x3~0"):
        export(str(tmp_path / "run"), str(tmp_path / "home"), ["safetensors"], quiet=True)


def test_what_is_not_there_is_refused(run: Path, winner: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a folder with model.json, .* got 'none there'"):
        export(str(tmp_path), forms=["safetensors"], quiet=True)
    with pytest.raises(UsageError, match="expected the architecture"):
        export(str(winner), str(tmp_path), ["safetensors"], arch=OTHER, quiet=True)
    with pytest.raises(UsageError, match=r"unknown form 'onx'. Did you mean 'onnx'"):
        export(str(winner), str(tmp_path), ["onx"], quiet=True)  # type: ignore[list-item]
    export(str(winner), str(tmp_path), ["safetensors"], quiet=True)
    with pytest.raises(UsageError, match="expected no export of another training, got "):
        export(str(run), str(tmp_path), ["safetensors"], arch=OTHER, quiet=True)


class OfFewer(DigitsData):
    @property
    def num_classes(self) -> int:
        return 3


class Brighter(DigitsData):
    @property
    def mean(self) -> tuple[float, float, float]:
        return (0.5, 0.5, 0.5)


class Larger(DigitsData):
    def load(self) -> dict[SplitName, Split]:
        return {name: Split(split.images.repeat(2, 3), split.labels) for name, split in super().load().items()}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (OfFewer(), "expected classes 10, as in training on digits, got 3"),
        (Larger(), r"expected image size \(3, 8, 8\), .*, got \(3, 8, 16\)"),
        (Brighter(), r"expected mean \(0.305, .*, got \(0.5, 0.5, 0.5\)"),
    ],
)
def test_other_data_than_in_training_is_refused(data: DigitsData, message: str, winner: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        export(str(winner), str(tmp_path), ["safetensors"], data=data, quiet=True)


def test_an_accuracy_that_was_not_reached_is_refused(winner: Path, tmp_path: Path) -> None:
    shutil.copytree(winner, tmp_path / "net")
    record = json.loads((tmp_path / "net" / MODEL).read_text())
    record["metrics"]["test_acc"] = 0.99
    (tmp_path / "net" / MODEL).write_text(json.dumps(record))
    with pytest.raises(RunError, match=r"expected test accuracy 0\.99, as recorded, got "):
        export(str(tmp_path / "net"), str(tmp_path), ["safetensors"], data=DATA, quiet=True)


def test_other_test_images_are_said_to_be_others(
    winner: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export(str(winner), str(tmp_path), ["safetensors"], data=DigitsData(seed=5))
    assert "other test images than the training's" in capsys.readouterr().out
