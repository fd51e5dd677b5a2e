from __future__ import annotations

import pytest

from lnas.errors import UsageError
from lnas.reading import read_json_object, read_text


def test_text_is_read_without_the_space_around_it():
    assert read_text("f", " a b\n", "Example: a.") == "a b"


@pytest.mark.parametrize("text", [None, b"a", 3, ["a"]])
def test_what_is_no_text_is_refused(text):
    for read in (lambda: read_text("f", text, "Example: a."), lambda: read_json_object("f", text, (), "Example: a.")):
        with pytest.raises(UsageError) as caught:
            read()
        assert str(caught.value) == f"f: expected text, got {text!r}. Example: a."


def test_keys_may_be_optional_or_hold_nothing():
    text = '{"a": 1, "b": null, "c": 2, "d": []}'
    assert read_json_object("f", text, ["a", "b"], "", optional=["c"]) == {"a": 1, "b": None, "c": 2, "d": []}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", "{}", '{"a": 1}', "[" * 3000, '{"a": ' + "1" * 5000 + ', "b": 1}']
)
def test_what_is_no_such_object_is_refused(text):
    with pytest.raises(UsageError) as caught:
        read_json_object("f", text, ["a", "b"], "Example: ...")
    assert str(caught.value).startswith(f"f: expected a JSON object with a and b, got {text!r}"[:150])
    assert str(caught.value).endswith(" Example: ...")


def test_another_key_is_named():
    with pytest.raises(UsageError, match="f: expected no key but a, b, got 'c'"):
        read_json_object("f", '{"a": 1, "c": 3}', ["a"], "", optional=["b"])
