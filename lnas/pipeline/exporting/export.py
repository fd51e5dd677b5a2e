"""`lnas export`: a trained network as files that other tools load, each read again and compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from lnas.data import ImageData
from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.trained_file import MODEL, TrainedNet, read_trained
from lnas.pipeline.display import Display
from lnas.pipeline.exporting.accuracies import require_same_task
from lnas.pipeline.exporting.sources import find_trained, space_of
from lnas.pipeline.exporting.writing import FormWriter
from lnas.pipeline.options import check_output
from lnas.spaces import SearchSpace
from lnas.store import exclusive, sweep_partial_files, write_whole
from lnas.types import Arch

if TYPE_CHECKING:
    from lnas.export.cards import Checked

Form = Literal["safetensors", "program", "onnx"]
FORMS: tuple[Form, ...] = get_args(Form)

_CELL, _CARD = "cell.svg", "README.md"
_SAME = ("arch", "net", "task", "recipe", "seed", "metrics")


def export(
    source: str,
    output: str = "results/export",
    forms: Sequence[Form] = FORMS,
    arch: str | None = None,
    data: ImageData | None = None,
    space: SearchSpace | None = None,
    net: Callable[[Arch, int], Any] | None = None,
    quiet: bool = False,
) -> list[Checked]:
    """Take a trained network home: write it in the forms that other tools load, read each again and compare.

    Writes OUTPUT/model.safetensors with model.json and timm's config.json, model.pt2 (torch.export), model.onnx,
    cell.svg and README.md, a model card. A form whose logits differ from the trained network's by more than 0.0001 is
    refused.

    Args:
        source: A folder of a trained network, or the output folder of `lnas run` or `lnas retrain`.
        output: Folder for the files.
        forms: Which ones; safetensors are written in any case, since the others are compared with what they hold.
        arch: Which architecture of SOURCE, where it holds several; of a run the winner, if not given.
        data: What it was trained on: to measure the test accuracy of each form, too, and refuse one that changes it.
        space: Where the architecture is from; needed for the drawing where it is a space of your own.
        net: What built the network, where it is a factory of your own.
        quiet: Print errors only.

    Returns:
        What was checked, file by file.

    Raises:
        UsageError: If SOURCE holds no such network, the data is not what it was trained on, or OUTPUT holds another.
        RunError: If a form comes out differently, or OUTPUT cannot be written.
    """
    from lnas.export.cards import model_card

    check_output(output)
    _check_forms(forms)
    trained = find_trained(source, arch, space)
    drawn_by = space_of(trained.arch, space)
    if data is not None:
        require_same_task(trained.task, data)
    display, folder = Display(quiet), Path(output)
    display.say(f"{trained.notation} of {trained.arch.space}, trained on {trained.task.name}, seed {trained.seed}")
    with exclusive(folder):
        sweep_partial_files(folder)
        _require_same(folder, trained)
        writer = FormWriter(trained, net, data, folder, display)
        writer.write_weights()
        if "program" in forms or "onnx" in forms:
            program = writer.trace()
            if "program" in forms:
                writer.write_program(program)
            if "onnx" in forms:
                writer.write_onnx(program)
        if drawn_by is not None:
            write_whole(folder / _CELL, drawn_by.draw(trained.arch).encode())
        card = model_card(trained, writer.parameters, writer.checks, None if drawn_by is None else _CELL)
        write_whole(folder / _CARD, card.encode())
    display.say(f"Card: {folder / _CARD}")
    return writer.checks


def _check_forms(forms: Sequence[Form]) -> None:
    for form in forms:
        if form not in FORMS:
            raise UsageError(f"forms={list(forms)}: {unknown_name('form', form, FORMS)}")
    if "onnx" in forms:
        from lnas.export.onnx import require_onnx

        require_onnx()


def _require_same(folder: Path, trained: TrainedNet) -> None:
    """Raise `UsageError` where a folder holds the export of another training, whose other forms would remain."""
    if not (folder / MODEL).is_file():
        from lnas.export.timm_config import CONFIG

        others = [name for name in (_CARD, _CELL, CONFIG) if (folder / name).exists()]
        if others:
            raise UsageError(complaint(f"output={str(folder)!r}", "a folder of its own", others[0], "Name another."))
        return
    there = read_trained(folder)
    if any(getattr(there, part) != getattr(trained, part) for part in _SAME):
        got = f"{there.notation}, seed {there.seed}, metrics {dict(there.metrics)}"
        raise UsageError(complaint(f"output={str(folder)!r}", "no export of another training", got, "Name another."))
