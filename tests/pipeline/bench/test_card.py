from __future__ import annotations

import numpy as np
import pytest

from lnas.benchmarks import MEAN, AccuracyKey, TabularBenchmark
from lnas.data import DigitsData
from lnas.pipeline.bench.card import card_text, make_card
from lnas.spaces import Decision, NatsTopologySpace, ProductSpace

SPACE = NatsTopologySpace()
GENES = np.array([[0, 0, 0, op, 0, 0] for op in (2, 3, 4)])
ACCURACIES: dict[int | str, list[float]] = {0: [50, 60, 40], 1: [52, 58, np.nan], MEAN: [51, 59, 40]}


@pytest.fixture
def table() -> TabularBenchmark:
    card = make_card("mine", SPACE, "functional", DigitsData(), 1, [2, 2, 1], 1, "CC BY 4.0", {"seed": 7})
    keys = {seed: AccuracyKey("mine-1.0", "digits", "test", 1, seed) for seed in ACCURACIES}
    columns = {keys[seed]: np.array(values, dtype=float) for seed, values in ACCURACIES.items()}
    return TabularBenchmark(card, SPACE, GENES, columns, {keys[MEAN]: np.array([1.0, 2.0, 4.0])})


def test_card_says_what_was_trained_on_what_and_how_often(table: TabularBenchmark) -> None:
    assert table.card.what == (
        "3 rows of 'nats_topology'. Each row is a class of architectures that compute the same function, of which one "
        "was trained from new weights for 1 epoch on 'digits': 897 images to train, 300 images to validate, "
        "600 images to test. 5 trainings gave accuracies (2 rows with 2 seeds, 1 row with 1 seed), 1 did not."
    )


def test_page_says_spread_agreement_time_licence_and_settings(table: TabularBenchmark) -> None:
    text = card_text(table, minutes=12.3)
    assert "| `mine-1.0/digits/test@1/mean` | 40.00 | 41.10 | 45.50 | 51.00 | 55.00 | 58.20 | 59.00 |" in text
    assert "| `test` | 1.000 | 1.41 | 2 | 2 |" in text  # differences -2 and 2: deviation of one 2 / sqrt 2
    assert "All trainings together 12 minutes; one, with its evaluation, 2.00 s (median)." in text
    assert "Licence: CC BY 4.0\n" in text
    assert '"seed": 7' in text


def test_own_space_is_named_and_has_no_twins_to_speak_of() -> None:
    space = Widths()
    card = make_card("mine", space, "isomorphic", DigitsData(), 2, [1], 0, "CC0", {})
    key = AccuracyKey("mine-1.0", "digits", "test", 2, MEAN)
    table = TabularBenchmark(card, space, np.array([[1]]), {key: np.array([9.0])}, {key: np.array([1.0])})
    assert "1 row of 'widths'. Each row is an architecture, trained from new weights for 2 epochs" in card.what
    assert 'load_benchmark("mine", "mine.parquet", space=Widths())' in card_text(table, minutes=0)


class Widths(ProductSpace):
    name = "widths"
    decisions = (Decision("width", ("8", "16")),)


def test_one_seed_has_nothing_to_agree_with(table: TabularBenchmark) -> None:
    key = AccuracyKey("mine-1.0", "digits", "test", 1, MEAN)
    alone = TabularBenchmark(table.card, SPACE, GENES, {key: table.table(key).accuracy}, table.seconds)
    assert "Agreement" not in card_text(alone, minutes=0.4)
