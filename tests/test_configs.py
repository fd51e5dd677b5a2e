"""Every shipped config goes through the real parser, and every argument of it is one that the command has."""

from __future__ import annotations

from pathlib import Path

import pytest

from lnas.cli import COMMANDS, command_parser

ROOT = Path(__file__).parents[1] / "configs"
CONFIGS = sorted(ROOT.rglob("*.yaml"))


COMMAND_OF = {"bench": "bench build"} | {name: name for name in ("retrain", "score", "search", "study", "supernet")}


def command_of(config: Path) -> str:
    if config.parent.name == "study" and config.stem.startswith("scores-"):
        return "study scores"
    return COMMAND_OF.get(config.parent.name, "run")


def test_no_config_is_overlooked() -> None:
    assert len(CONFIGS) == 35


@pytest.mark.parametrize("config", CONFIGS, ids=lambda file: str(file.relative_to(ROOT)))
def test_config_parses_and_instantiates(config: Path) -> None:
    parser = command_parser(command_of(config))
    arguments = parser.instantiate(parser.parse_args(["--config", str(config)]))
    assert arguments.output.startswith("results/")


@pytest.mark.parametrize("config", CONFIGS, ids=lambda file: str(file.relative_to(ROOT)))
def test_header_says_the_command_the_time_and_the_number_to_expect(config: Path) -> None:
    header = "".join(line for line in config.read_text().splitlines(keepends=True) if line.startswith("#"))
    assert f"lnas {command_of(config)} --config configs/{config.relative_to(ROOT)}" in header
    assert "Time:" in header
    assert "Expect:" in header


def test_every_command_has_a_parser_and_a_description() -> None:
    for name in COMMANDS:
        assert len(command_parser(name).description) > 100
