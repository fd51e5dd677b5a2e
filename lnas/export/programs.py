"""A network as a program of `torch.export`, which runs without lnas."""

from __future__ import annotations

import copy
import io

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from lnas.errors import RunError, complaint
from lnas.export.agreement import Forward

BATCH = {"images": {0: Dim("batch")}}
"""What may differ between calls."""


def to_program(net: nn.Module, images: Tensor) -> ExportedProgram:
    """Trace a network in eval mode, for batches of any size. The network is left as it is.

    Args:
        net: In eval mode.
        images: An example, (B, 3, H, W) with B >= 3, since 1 and 2 are sizes that programs are specialised to.

    Raises:
        RunError: If it cannot be traced.
    """
    # The archive keeps the bytes of contiguous tensors; ours are channels-last where that is faster.
    plain = copy.deepcopy(net).to(memory_format=torch.contiguous_format)
    try:
        with torch.no_grad():
            return torch.export.export(plain, (images,), dynamic_shapes=BATCH)
    except Exception as error:  # the tracer raises errors of many kinds
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        call, step = f"torch.export of {type(net).__name__}", "Leave the forms 'program' and 'onnx' out."
        raise RunError(complaint(call, "a network that can be traced", reason, step)) from error


def program_bytes(program: ExportedProgram) -> bytes:
    """Return the content of a `.pt2` file."""
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    return buffer.getvalue()


def load_program(content: bytes) -> Forward:
    """Read what `program_bytes` returned."""
    return torch.export.load(io.BytesIO(content)).module()
