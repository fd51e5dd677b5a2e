from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.pipeline.parquet import columns_parquet
from lnas.pipeline.scores_study.score_files import ScoreFile, estimates_of, load_files
from lnas.pipeline.scores_study.supernet_files import load_supernet
from lnas.types import Arch

ARCHS = [Arch("nats_topology", (0, 0, 0, 0, 0, gene)) for gene in (2, 0, 1)]
ACCURACIES, LOSSES = [[0.1, 0.2, 0.3], [0.6, None, 0.4]], [[9, 8, 7], [1, 2, 3]]


@pytest.fixture
def folder(write_supernet: Callable[..., Path]) -> Path:
    return write_supernet("net", ARCHS, [4, 8], oneshot_acc=ACCURACIES, ensemble_loss=LOSSES)


def test_every_epoch_is_read_whatever_the_order_of_its_rows(folder: Path) -> None:
    found = load_supernet(folder / "scores.parquet")
    assert found is not None
    places = [found.archs.index(arch) for arch in ARCHS]
    assert found.epochs == [4, 8]
    np.testing.assert_array_equal(found.values["oneshot_acc"][:, places], [[0.1, 0.2, 0.3], [0.6, np.nan, 0.4]])
    assert set(found.values) == {"oneshot_acc", "ensemble_loss"}
    assert found.forgetting is not None
    np.testing.assert_array_equal(found.forgetting.deviations, [0.1, np.nan])


def test_the_last_epoch_is_studied_unless_another_is_named(folder: Path) -> None:
    for epoch, losses in ((None, LOSSES[1]), (4, LOSSES[0])):
        files = {"net": ScoreFile(str(folder), ["ensemble_loss"], epoch=epoch)}
        (found,) = estimates_of(files, load_files(files))
        assert (found.name, found.higher_is_better) == ("net", False)
        assert dict(zip(found.archs, found.values.tolist(), strict=True)) == dict(zip(ARCHS, losses, strict=True))


def test_a_file_without_epochs_is_none_of_a_supernet(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(columns_parquet({"arch": ["a:1"], "synflow": [1.0]}))
    assert load_supernet(tmp_path / "a.parquet") is None
    assert load_supernet(tmp_path / "b.csv") is None


@pytest.mark.parametrize(
    ("epochs", "archs", "message"),
    [
        ([1, 1, 2], ["a:1", "a:2", "a:1"], "expected the same architectures in each epoch"),
        ([1, 1, 2, 2], ["a:1", "a:2", "a:1", "a:3"], "expected the same architectures in each epoch"),
        ([1, 1], ["a:1", "a:1"], "expected the same architectures in each epoch, each once"),
        ([1, 1], ["a:1", "a:x"], "expected SPACE:GENES as arch"),
        ([], [], "expected scores of at least one epoch"),
    ],
)
def test_epochs_that_do_not_fit_are_told(tmp_path: Path, epochs: list[int], archs: list[str], message: str) -> None:
    (tmp_path / "scores.parquet").write_bytes(columns_parquet({"epoch": epochs, "arch": archs}))
    with pytest.raises(UsageError, match=re.escape(message)):
        load_supernet(tmp_path / "scores.parquet")


def test_an_epoch_that_was_not_ranked_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match=re.escape("scores.net.epoch=5: expected one of 4, 8, got 5")):
        load_files({"net": ScoreFile(str(folder), epoch=5)})
