from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lnas.benchmarks import TabularBenchmark, load_benchmark
from lnas.cli import main

FOLDERS = {"nats_tss": "NATS-tss-v1_0-3ffb9-simple", "nats_sss": "NATS-sss-v1_0-50262-simple"}


@pytest.mark.data
@pytest.mark.parametrize("name", FOLDERS)
def test_official_folder_becomes_a_table_that_answers_as_the_package_does(
    name: str, data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data_root / "nb201" / "official_samples" / FOLDERS[name]
    file = tmp_path / "mine.parquet"
    assert main(["bench", "import", "nats", str(folder), "--output", str(file)]) == 0
    assert "records: 3/3" in capsys.readouterr().out
    table, package = load_benchmark(name, file), load_benchmark(name, folder, trusted=True)
    assert isinstance(table, TabularBenchmark)
    arch = next(table.archs())
    for key in package.keys():
        assert table.query(arch, key) == pytest.approx(package.query(arch, key), abs=1e-9)
    assert main(["bench", "show", name, "--path", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "MIT" in printed
    assert str(package.keys()[0]) in printed


@pytest.mark.data
def test_what_cannot_be_read_or_written_is_one_line(
    data_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "nats"
    shutil.copytree(data_root / "nb201" / "official_samples" / FOLDERS["nats_sss"], folder)
    assert main(["bench", "import", "nats", str(folder), "--output", str(tmp_path / "nowhere" / "x.parquet")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    record = folder / "000011.pickle.pbz2"
    record.chmod(0o644)
    record.write_bytes(record.read_bytes()[:1000])
    assert main(["bench", "import", "nats", str(folder), "--output", str(tmp_path / "x.parquet")]) == 2
    assert "000011.pickle.pbz2': expected whole bz2" in capsys.readouterr().err
    assert not (tmp_path / "x.parquet").exists()
