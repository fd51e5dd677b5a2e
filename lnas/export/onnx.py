"""A network as ONNX, and ONNX Runtime to check it."""

from __future__ import annotations

import importlib.util
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.export import ExportedProgram

from lnas.errors import RunError, UsageError, complaint
from lnas.export.agreement import Forward
from lnas.export.programs import BATCH
from lnas.nets.trained_file import ImageTask

_PACKAGES = ("onnx", "onnxruntime", "onnxscript")
_INPUT, _OUTPUT = "images", "logits"


def require_onnx() -> None:
    """Raise `UsageError` unless the packages are there that make ONNX and check it."""
    missing = [name for name in _PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        step = "pip install 'lnas[export]', or leave the form 'onnx' out."
        raise UsageError(complaint("forms=['onnx']", f"the packages {', '.join(_PACKAGES)}", f"no {missing[0]}", step))


def onnx_bytes(program: ExportedProgram, task: ImageTask) -> bytes:
    """Translate a program for batches of any size.

    Args:
        program: From normalised images to logits.
        task: Its normalisation and classes are written into the file's metadata, as JSON under "lnas".

    Returns:
        The content of an `.onnx` file, with input "images" and output "logits".

    Raises:
        UsageError: If the packages are not installed.
        RunError: If something in the program has no translation.
    """
    require_onnx()
    try:
        with _quiet():
            translated = torch.onnx.export(
                program,
                dynamo=True,
                verbose=False,
                input_names=[_INPUT],
                output_names=[_OUTPUT],
                dynamic_shapes=BATCH,
            )
    except Exception as error:  # the exporter raises errors of many kinds
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        step = "Leave the form 'onnx' out."
        raise RunError(complaint("torch.onnx.export", "a program that ONNX can say", reason, step)) from error
    assert translated is not None
    model = translated.model_proto
    facts = {"mean": task.mean, "std": task.std, "input_size": task.input_size, "classes": task.classes}
    entry = model.metadata_props.add()
    entry.key, entry.value = "lnas", json.dumps(facts, ensure_ascii=False)
    return model.SerializeToString()


def load_onnx(content: bytes) -> Forward:
    """Read what `onnx_bytes` returned, into ONNX Runtime on the CPU."""
    from onnxruntime import InferenceSession

    session = InferenceSession(content, providers=["CPUExecutionProvider"])

    def forward(images: Tensor) -> Tensor:
        (logits,) = session.run([_OUTPUT], {_INPUT: images.numpy()})
        return torch.from_numpy(logits)

    return forward


@contextmanager
def _quiet() -> Iterator[None]:
    """Let the exporter speak of errors only: of its own making are deprecations that no caller can mend."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
