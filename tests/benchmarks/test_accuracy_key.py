from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.base import unknown_key
from lnas.errors import UsageError

quickly = settings(deadline=None, max_examples=50)
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,20}", fullmatch=True)
SEEDS = st.integers(0, 2**64 - 1) | NAMES.filter(lambda name: not name.isdigit())
KEYS = st.builds(AccuracyKey, NAMES, NAMES, NAMES, st.integers(1, 10**9), SEEDS)
KEY = AccuracyKey("nats-1.0", "cifar10-valid", "x-valid", 200, 777)


@quickly
@given(KEYS)
def test_parse_undoes_str(key):
    assert AccuracyKey.parse(str(key)) == key


@quickly
@given(KEYS, st.lists(st.sampled_from(["", " ", "\t", "  "]), min_size=10, max_size=10))
def test_space_around_the_signs_is_ignored(key, space):
    parts = (key.release, "/", key.dataset, "/", key.split, "@", key.epochs, "/", key.seed)
    spread = "".join(f"{gap}{part}" for gap, part in zip(space, (*parts, ""), strict=True))
    assert AccuracyKey.parse(spread) == key


def test_each_part_tells_keys_apart():
    texts = [
        "nats-1.0/cifar10-valid/x-valid@200/777",
        "nas-bench-201-1.1/cifar10-valid/x-valid@200/777",
        "nats-1.0/cifar10/x-valid@200/777",
        "nats-1.0/cifar10-valid/ori-test@200/777",
        "nats-1.0/cifar10-valid/x-valid@12/777",
        "nats-1.0/cifar10-valid/x-valid@200/mean",
    ]
    keys = [AccuracyKey.parse(text) for text in texts]
    assert len({*keys}) == len(keys)
    assert [str(key) for key in keys] == texts
    assert keys[0] == KEY
    assert [type(key.seed) for key in keys[-2:]] == [int, str]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nats-1.0/cifar10/x-valid@200",
        "nats-1.0/cifar10/x-valid/mean",
        "nats-1.0/cifar10/x-valid@/mean",
        "nats-1.0/cifar10/x-valid@twelve/mean",
        "nats-1.0/cifar10/x-valid@-12/mean",
        "nats-1.0/cifar10/x-valid@12.5/mean",
        "nats-1.0/cifar10/x-valid@\N{ARABIC-INDIC DIGIT ONE}/mean",
        "nats-1.0/cifar10/x-valid@" + "1" * 5000 + "/mean",
        "nats-1.0/cifar10/x-valid@200/mean/more",
        "nats-1.0/cifar10/x valid@200/mean",
    ],
)
def test_a_text_with_a_part_missing_is_refused(text):
    with pytest.raises(UsageError) as caught:
        AccuracyKey.parse(text)
    start, end = f"AccuracyKey.parse({text!r})", "Example: nats-1.0/cifar10-valid/x-valid@200/mean."
    assert str(caught.value).startswith(start[:100])
    assert "expected RELEASE/DATASET/SPLIT@EPOCHS/SEED" in str(caught.value)
    assert str(caught.value).endswith(end)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("text", [None, 12, b"a/b/c@1/mean", KEY])
def test_parse_wants_text(text):
    with pytest.raises(UsageError, match="expected text, got "):
        AccuracyKey.parse(text)


@pytest.mark.parametrize("part", ["release", "dataset", "split", "seed"])
@pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "a@b", "-a", "\N{SUPERSCRIPT TWO}"])
def test_names_are_letters_digits_and_few_signs(part, name):
    parts = {"release": "r", "dataset": "d", "split": "s", "epochs": 1, "seed": 0, part: name}
    with pytest.raises(UsageError) as caught:
        AccuracyKey(**parts)
    assert f"expected names of letters, digits and _.+-, got {name!r}." in str(caught.value)


@pytest.mark.parametrize("seed", ["777", "1\N{SUPERSCRIPT TWO}", "1" * 5000])
def test_a_seed_in_digits_is_a_number(seed):
    with pytest.raises(UsageError, match="expected a number as a number, got '"):
        AccuracyKey("r", "d", "s", 1, seed)


@pytest.mark.parametrize("seed", ["1\N{SUPERSCRIPT TWO}", "\N{ARABIC-INDIC DIGIT ONE}", "1" * 5000])
def test_parse_refuses_digits_that_are_no_number(seed):
    with pytest.raises(UsageError, match=r"^AccuracyKey\(\.\.\.\): expected "):
        AccuracyKey.parse(f"r/d/s@1/{seed}")


@pytest.mark.parametrize(
    ("epochs", "seed"), [(0, 0), (-1, 0), (1, -1), (True, 0), (1, False), (1.0, 0), (1, 2.0), (None, 0), (1, None)]
)
def test_numbers_are_whole_and_in_range(epochs, seed):
    wrong = seed if epochs == 1 and type(epochs) is int else epochs
    with pytest.raises(UsageError) as caught:
        AccuracyKey("r", "d", "s", epochs, seed)
    assert f"expected epochs >= 1 and a seed >= 0, got {wrong!r}." in str(caught.value)


def test_an_unknown_key_is_answered_with_all_where_they_are_few():
    known = [AccuracyKey("r", "d", "s", epochs, "mean") for epochs in range(1, 13)]
    assert str(unknown_key("mine", KEY, known[:2])) == (
        "benchmark 'mine' has no accuracies under 'nats-1.0/cifar10-valid/x-valid@200/777'. "
        "It has: r/d/s@1/mean, r/d/s@2/mean."
    )
    assert all(str(key) in str(unknown_key("mine", KEY, known)) for key in known)


def test_an_unknown_key_is_answered_with_the_nearest_where_there_are_many():
    near = [AccuracyKey("nats-1.0", "cifar10-valid", "x-valid", 200, seed) for seed in ("mean", 888, 999)]
    far = [AccuracyKey("elsewhere", "digits", "test", epochs, "mean") for epochs in range(1, 100)]
    text = str(unknown_key("mine", KEY, [*far[:50], *near, *far[50:]], having="recorded time"))
    listed = text.split("It has: ")[1].split(" and ")
    assert set(listed[0].split(", ")) >= {str(key) for key in near}
    assert len(listed[0].split(", ")) == 12
    assert listed[1] == "90 more (benchmark.keys())."
    assert "has no recorded time under" in text


def test_an_unknown_key_of_nothing_says_none():
    assert str(unknown_key("mine", KEY, [])).endswith("It has: none.")
