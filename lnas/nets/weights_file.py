"""A file of trained weights. Imports torch only when it is read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnas.errors import UsageError, complaint

if TYPE_CHECKING:
    from torch import Tensor


class WeightsFile:
    """A file of tensors by name, known by what it holds: the repr, and so a protocol, has its hash and not its path.

    Args:
        path: A `.safetensors` file, or of any other name a state dict that `torch.save` wrote. Nothing is read before
            it is asked for, and no code is run from it.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"WeightsFile(sha256={self.fingerprint})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WeightsFile) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    @cached_property
    def fingerprint(self) -> str:
        """The first 16 hex digits of the content's SHA-256.

        Raises:
            UsageError: If the file cannot be read.
        """
        return _digest(self._read())

    def tensors(self) -> dict[str, Tensor]:
        """Read the tensors, on the CPU.

        Raises:
            UsageError: If the file cannot be read, holds something else, or has changed since its hash was taken.
        """
        content = self._unchanged()
        try:
            tensors = _parsed(content, Path(self.path).suffix)
        except Exception as error:  # the readers raise errors of many kinds
            raise self._no_tensors(type(error).__name__) from error
        if not _is_state_dict(tensors):
            raise self._no_tensors(type(tensors).__name__)
        return tensors

    @property
    def _call(self) -> str:
        return f"weights {str(self.path)!r}"

    def _unchanged(self) -> bytes:
        """Read the content; raise `UsageError` if it has changed since its hash was taken."""
        content = self._read()
        found = _digest(content)
        if found != self.fingerprint:
            expected = f"the content with SHA-256 {self.fingerprint}, as when it was first read"
            raise UsageError(complaint(self._call, expected, found, "Start anew, so that one protocol has one file."))
        return content

    def _read(self) -> bytes:
        try:
            return Path(self.path).read_bytes()
        except (OSError, TypeError) as error:
            got = getattr(error, "strerror", None) or self.path
            raise UsageError(complaint(self._call, "a file that can be read", got, "Name another one.")) from error

    def _no_tensors(self, got: str) -> UsageError:
        next_step = "Save them by `safetensors.torch.save_file(net.state_dict(), path)`."
        return UsageError(complaint(self._call, "a file of tensors by name", got, next_step))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _parsed(content: bytes, suffix: str) -> Any:
    if suffix == ".safetensors":
        import safetensors.torch

        return safetensors.torch.load(content)
    import torch

    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)


def _is_state_dict(value: object) -> bool:
    from torch import Tensor

    return isinstance(value, Mapping) and all(isinstance(tensor, Tensor) for tensor in value.values())
