"""Seeds derived from names, so that no number depends on the order in which things were computed."""

from __future__ import annotations

import hashlib


def derive_seed(*parts: object) -> int:
    """Hash the parts into a seed below 2**32, the same on every machine and in every process.

    The parts are joined by their `str`, each preceded by its length, so that ("a", "bc") and ("ab", "c") differ.
    Below 2**32 because NumPy's legacy seeding and some loggers accept no more.

    Example:
        >>> derive_seed(0, "nats_topology:3-1-2-0-4-3", "net") == derive_seed(0, "nats_topology:3-1-2-0-4-3", "net")
        True
        >>> derive_seed("a", "bc") == derive_seed("ab", "c")
        False
    """
    text = "".join(f"{len(str(part))}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
