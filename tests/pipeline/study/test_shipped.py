from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import lnas
from lnas.errors import UsageError
from lnas.pipeline.study.shipped import find_config

ROOT = Path(lnas.__file__).parents[1]


def test_a_shipped_study_is_found_by_its_name_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_config("short-training", "study").read_text().startswith("# What the angle and the loss")


def test_an_installed_lnas_carries_its_studies_inside(tmp_path: Path) -> None:
    """As a wheel lays them out: what pyproject.toml puts into the package, and no checkout around it."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    for source, target in wheel["force-include"].items():
        (tmp_path / target).mkdir(parents=True)
        for file in (ROOT / source).iterdir():
            (tmp_path / target / file.name).write_bytes(file.read_bytes())
    found = find_config("short-training", "study", package=tmp_path / "lnas")
    assert found.is_relative_to(tmp_path / "lnas")
    assert found.read_bytes() == (ROOT / "configs" / "study" / "short-training.yaml").read_bytes()


def test_a_file_of_the_users_is_taken_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.touch()
    assert find_config(str(own), "study") == own


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("short-trainin", r"unknown study 'short-trainin'\. Did you mean 'short-training'\?"),
        (
            "nowhere.yaml",
            r"config 'nowhere\.yaml': expected a YAML file, got 'no such file'\. Shipped: .*short-training",
        ),
    ],
)
def test_what_is_neither_is_named(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        find_config(name, "study")
