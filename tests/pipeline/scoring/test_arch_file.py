from __future__ import annotations

from pathlib import Path

import pytest

from lnas.errors import UsageError
from lnas.pipeline.scoring.arch_file import read_arch_file
from lnas.spaces import DartsSpace, NatsTopologySpace, published_genotype
from lnas.testing.tiny import TinySpace
from lnas.types import Arch

NATS = NatsTopologySpace()
ONE, OTHER = Arch("nats_topology", (3, 1, 2, 0, 4, 3)), Arch("nats_topology", (0, 0, 0, 3, 0, 0))


def file(folder: Path, content: str, name: str = "cells.txt") -> Path:
    (folder / name).write_text(content, encoding="utf-8")
    return folder / name


def test_identities_and_notations_stand_one_per_line(tmp_path: Path) -> None:
    content = f"\ufeff{NATS.format(ONE)}\n\n  {OTHER}  \r\n"
    assert read_arch_file(file(tmp_path, content), NATS) == [ONE, OTHER]


def test_a_csv_has_a_column_of_them(tmp_path: Path) -> None:
    content = f'params,arch,notation\n1,{ONE},"a,b"\n\n,{NATS.format(OTHER)},\n'
    assert read_arch_file(file(tmp_path, content, "scores.csv"), NATS) == [ONE, OTHER]


def test_names_of_genotypes_and_spaces_of_ones_own_will_do(tmp_path: Path) -> None:
    assert read_arch_file(file(tmp_path, "DARTS_V2\n"), DartsSpace()) == [published_genotype("DARTS_V2")]
    assert read_arch_file(file(tmp_path, "101\ntiny:0-1-1\n"), TinySpace()) == [
        Arch("tiny", (1, 0, 1)),
        Arch("tiny", (0, 1, 1)),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("cells.txt", f"{ONE}\n\n|conv~0|\n", r"line 3: NatsTopologySpace\.parse.*three nodes"),
        ("cells.txt", f"{ONE}\nnats_topology:9-0-0-0-0-0\n", r"line 2: .*gene 0 .* got 9"),
        ("cells.txt", "nats_size:0-0-0-0-0\n", r"line 1: .*one of 'nats_topology', got 'nats_size'"),
        ("cells.txt", f"{ONE}\n{OTHER}\n{NATS.format(ONE)}\n", "line 3: expected each architecture once.* line 1, too"),
        ("cells.txt", "\n \n", "at least one architecture, got 'none'"),
        ("cells.csv", "", r"a column 'arch', got \[\]"),
        ("cells.csv", "cell\nx\n", r"a column 'arch', got \['cell'\]"),
        ("cells.csv", f"params,arch\n1,{ONE}\n2\n", "line 3: expected at least 2 cells, got 1"),
        ("cells.csv", f"params,arch\n1,{ONE}\n2,x\n", "line 3: NatsTopologySpace"),
        ("cells.csv", 'arch\n"x', "line 2: expected CSV"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(name: str, content: str, message: str, tmp_path: Path) -> None:
    path = file(tmp_path, content, name)
    with pytest.raises(UsageError, match=message) as error:
        read_arch_file(path, NATS)
    assert str(error.value).startswith(f"archs={str(path)!r}")


def test_what_is_no_text_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    for path, message in (
        (tmp_path / "none.txt", "No such file"),
        (tmp_path, "directory"),
        (tmp_path / "bytes.txt", "utf-8"),
    ):
        with pytest.raises(UsageError, match=f"expected a text file, got .*{message}"):
            read_arch_file(path, NATS)
