"""`lnas show` and `lnas list`, as they are typed."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lnas.cli import main
from lnas.spaces import GENOTYPES, SPACES, DartsSpace, published_genotype

CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def facts(printed: str) -> dict[str, str]:
    return {line[:21].strip(): line[21:].strip() for line in printed.splitlines()}


def test_show_counts_and_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", CELL]) == 0
    printed = facts(capsys.readouterr().out)
    assert printed["space"] == "nats_topology"
    assert printed["identity"] == "nats_topology:3-3-3-3-3-3"
    assert printed["parameters"] == "1,531,546 with 10 classes"
    assert printed["multiply-accumulates"] == "220,119,680 for 32 x 32 pixels"
    assert ElementTree.parse("arch.svg").getroot().tag.endswith("svg")


def test_show_names_the_canonical_twin(capsys: pytest.CaptureFixture[str]) -> None:
    twins = []
    for text in ("nats_topology:4-0-0-0-0-0", CELL):
        assert main(["show", text]) == 0
        twins.append(facts(capsys.readouterr().out)["canonical twin"])
    assert twins == ["nats_topology:0-0-0-0-0-0", "itself"]


def test_what_cannot_be_counted_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "not_for_images.py").write_text("from torch import nn\ndef build(arch, n): return nn.Linear(7, n)\n")
    assert main(["show", CELL, "--net", "not_for_images.build"]) == 1
    assert capsys.readouterr().out == ""
    assert not Path("arch.svg").exists()


def test_show_takes_an_identity_a_notation_or_a_published_name(capsys: pytest.CaptureFixture[str]) -> None:
    arch = published_genotype("DARTS_V2")
    shown = []
    for text in ("DARTS_V2", str(arch), DartsSpace().format(arch)):
        assert main(["show", text, "--net.cells", "3", "--net.channels", "4"]) == 0
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1] == shown[2]


def test_show_counts_at_the_size_that_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    imagenet = ["--pixels", "224", "--num_classes", "1000", "--net.image_size", "224"]
    size = ["--net.channels", "48", "--net.cells", "14"]
    assert main(["show", "DARTS_V2", *imagenet, *size, "--output", "there/darts.svg"]) == 0
    printed = facts(capsys.readouterr().out)
    assert printed["parameters"] == "4,718,752 with 1000 classes"
    assert printed["multiply-accumulates"] == "529,911,552 for 224 x 224 pixels"
    assert Path("there/darts.svg").exists()


def test_show_a_space_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    own = ["--space", "configs.examples.own_space.PerceptronSpace"]
    assert main(["show", "32:relu:16:tanh", *own, "--net", "configs.examples.own_space.build_perceptron"]) == 0
    assert facts(capsys.readouterr().out)["parameters"] == "6,874 with 10 classes"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "ARCH is required; for example: lnas show DARTS_V2"),
        (["{}"], "expected SPACE:GENES, the notation of a benchmark or the name of a published genotype"),
        (["64:8:16:24:33"], "expected width of cell 3 of 8, 16, 24, 32, 40, 48, 56, 64, got '33'"),
        (["nats_size:7-0-1-2-9"], "in 0..7, got 9"),
        (["nats_sise:7-0-1-2-3"], "unknown space 'nats_sise'. Did you mean 'nats_size'?"),
        (["DARTS_V2", "--space", "NatsTopologySpace"], "expected three nodes joined by '+', got 'DARTS_V2'"),
        ([CELL, "--pixels", "0"], "pixels=0: expected pixels >= 1, got 0"),
        ([CELL, "--num_classes", "-1"], "num_classes=-1: expected num_classes >= 1, got -1"),
        (["DARTS_V2", "--output", "arch.png"], "expected a file name ending in .svg, got 'arch.png'"),
        (["64:8:16:24", "--space", "NatsSizeSpace"], "NatsSizeSpace.parse('64:8:16:24'): expected 5 values"),
    ],
)
def test_what_show_cannot_read_is_one_line(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("kind", ["spaces", "genotypes", "proxies"])
def test_list_names_everything(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    printed = capsys.readouterr().out
    names = {"spaces": SPACES, "genotypes": GENOTYPES, "proxies": ["params"]}[kind]
    assert all(name in printed for name in names)


def test_list_of_spaces_is_whole_and_tells_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "spaces"]) == 0
    printed = capsys.readouterr().out
    assert "\N{HORIZONTAL ELLIPSIS}" not in printed
    words = "".join(re.sub(r"[\u2500-\u257f]", " ", printed).split())
    assert "NasBench1Shot1Space--space.subspace2" in words


def test_list_of_nothing_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "spaecs"]) == 2
    assert "Did you mean 'spaces'?" in capsys.readouterr().err
    assert main(["list"]) == 2
    assert "KIND is required; for example: lnas list spaces" in capsys.readouterr().err


def test_classes_are_found_in_the_current_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a_space_of_mine.py").write_text(
        "from torch import nn\n"
        "from lnas.spaces import Decision, ProductSpace\n"
        "class Mine(ProductSpace):\n"
        "    name = 'mine'\n"
        "    decisions = (Decision('width', ('2', '4')), Decision('bias', ('no', 'yes')))\n"
        "def build(arch, num_classes):\n"
        "    head = nn.Linear(3, num_classes, bias=arch.genes[1] == 1)\n"
        "    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)\n"
    )
    assert main(["show", "4:no", "--space", "a_space_of_mine.Mine", "--net", "a_space_of_mine.build"]) == 0
    assert facts(capsys.readouterr().out)["parameters"] == "30 with 10 classes"
