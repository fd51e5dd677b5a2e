"""Reading what people write: text, and JSON objects."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lnas.errors import UsageError, complaint


def read_text(call: str, text: object, example: str) -> str:
    """Return a text without the space around it.

    Raises:
        UsageError: If it is no text; the message names `call` and ends with `example`.
    """
    if not isinstance(text, str):
        raise UsageError(complaint(call, "text", text, example))
    return text.strip()


def read_json_object(
    call: str, text: object, keys: Sequence[str], example: str, optional: Sequence[str] = ()
) -> dict[str, Any]:
    """Read a JSON object with these keys; others must be optional or hold nothing, as in published records.

    Raises:
        UsageError: If the text is no such object; the message names `call` and ends with `example`.

    Example:
        >>> read_json_object("read(...)", '{"depth": 3, "width": null}', ["depth"], "Example: ...")
        {'depth': 3, 'width': None}
    """
    expected = f"a JSON object with {' and '.join(keys)}"
    written = read_text(call, text, example)
    try:
        record = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise UsageError(complaint(call, expected, text, example)) from error
    if not isinstance(record, dict) or not record.keys() >= set(keys):
        raise UsageError(complaint(call, expected, text, example))
    known = (*keys, *optional)
    for key, value in record.items():
        if value and key not in known:
            raise UsageError(complaint(call, f"no key but {', '.join(known)}", key, example))
    return record
