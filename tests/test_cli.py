from __future__ import annotations

import subprocess
import sys

import pytest

from lnas import __version__, cli
from lnas.cli import COMMANDS, command_parser, main
from lnas.nets import ThinNetBuilder


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_overview_names_every_command_and_a_start(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    width = max(map(len, COMMANDS))
    assert all(f"  {name:<{width}}  {command.help}" in printed for name, command in COMMANDS.items())
    assert "lnas run --config configs/quickstart.yaml" in printed


def test_a_command_of_two_words_has_an_overview_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench"]) == 0
    printed = capsys.readouterr().out
    assert [name for name in COMMANDS if f"  {name} " in printed] == ["bench build", "bench import", "bench show"]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"lnas {__version__}\n"


def test_installed_version_is_the_packages_own() -> None:
    from importlib.metadata import version

    assert version("lnas") == __version__


def test_help_says_what_each_option_is_and_what_to_choose_from() -> None:
    command = [sys.executable, "-m", "lnas", "run", "--help"]
    printed = " ".join(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    for words in (
        "one of: Cifar100Data, Cifar10Data, DigitsData, ImageFolderData, ImageNet16Data)",
        "(default: RandomSearch, one of: AssistedEvolution, FPNAS, LocalSearch, NSGA2, PruningSearch, RandomSearch,",
        "RecordedAccuracy, RecordedScores, ScoresEstimator, ShortTrainingEstimator,",
        "{auto,online,offline,off}",
        "(type: int, default: 100)",
        "lnas run --data.help Cifar10Data",
    ):
        assert words in printed
    for noise in ("Callable", "Literal", "Optional", "<class", "known subclasses", "()"):
        assert noise not in printed


def test_overview_and_help_import_nothing_that_computes() -> None:
    code = (
        "import sys; from lnas.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'lightning', 'wandb', 'plotly', 'scipy', 'timm', 'sklearn'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    for arguments in (["--help"], ["run", "--help"], ["score", "--help"]):
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, stdout=subprocess.DEVNULL)


def test_interrupted_says_how_to_go_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(arguments: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_dispatch", interrupt)
    assert main(["run"]) == 130
    assert capsys.readouterr().err == "lnas: stopped; the same command goes on from here\n"


def test_an_error_nobody_foresaw_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: list[str]) -> int:
        raise ValueError("first\n  second")

    monkeypatch.setattr(cli, "_dispatch", fail)
    assert main(["run"]) == 1
    assert capsys.readouterr().err == "lnas: ValueError: first second (--debug shows where)\n"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("show x --space NasBench1Shot1Space", "--space: subspace is required"),
        ("run --data Cifar10Data", "--data: root is required"),
        (
            "show x --space NasBench1Shot1Space --space.subspace 5",
            "--space: subspace: unknown choice '5'. Known: 1, 2, 3.",
        ),
        ("show x --space NatsSizeSpac", "--space: unknown class 'NatsSizeSpac'. Did you mean 'NatsSizeSpace'? Known:"),
        ("bench bild --name x", "unknown command 'bench bild'. Did you mean 'bench build'? Known: bench build, "),
        ("bench import nasbench PATH", "FORMAT: unknown choice 'nasbench'. Known: nats."),
        ("bench show", "NAME is required; for example: lnas bench show digits"),
        ("show x --pixels many", "--pixels: Expected a <class 'int'>"),
        ("run --data DigitsData --controls a,b", "--controls: expected a list, written [a,b], got a,b"),
        ("study --processes 2 short-training", "'short-training' comes too late: a name or a file is the first"),
        ("study short-traning", "unknown study 'short-traning'. Did you mean 'short-training'?"),
        ("score --data DigitsData --estimators OneShotEstimator", "--estimators: expected a list; --estimators+ NAME"),
        ("supernet --data DigitsData --training Dart", "--training: unknown class 'Dart'. Did you mean 'Darts'?"),
        ("score --data DigitsData --net.chanels 3", "--net: Option 'chanels' is not accepted"),
        ("score --data DigitsData --net lnas.nets.SubnetsOf", "--net: weights is required"),
        ("score --data DigitsData --net lnas.nets.Subnets", "--net: module 'lnas.nets' has no attribute 'Subnets'"),
    ],
)
def test_a_wrong_option_is_named_as_it_is_typed(arguments: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments.split()) == 2
    printed = capsys.readouterr().err
    assert printed.startswith(f"lnas: {line}")
    assert printed.count("\n") == 1


def test_a_net_may_come_from_another_factory_than_the_benchmarks() -> None:
    parser = command_parser("score")
    parsed = parser.parse_args(
        ["--data", "DigitsData", "--net", "lnas.nets.ThinNetBuilder", "--net.init", "lecun_normal"]
    )
    assert parser.instantiate(parsed).as_dict()["net"] == ThinNetBuilder(init="lecun_normal")
