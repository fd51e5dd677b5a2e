"""Each form of a trained network, written, read again and compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lnas.data import ImageData
from lnas.nets import NetBuilder
from lnas.nets.trained_file import NetFactory, TrainedNet, read_trained, write_trained
from lnas.pipeline.display import Display
from lnas.pipeline.exporting.accuracies import accuracy_on_test, require_equal, require_recorded
from lnas.store import write_whole

if TYPE_CHECKING:
    from torch import Tensor
    from torch.export import ExportedProgram

    from lnas.export.agreement import Forward
    from lnas.export.cards import Checked

_WEIGHTS, _PROGRAM, _ONNX = "model.safetensors", "model.pt2", "model.onnx"
_SAMPLES = 8


class FormWriter:
    """Writes the forms of one trained network into a folder, and compares each with it.

    Args:
        trained: What is exported.
        own: What built it, where that is a factory of the user's own.
        data: To measure the test accuracy of each form; None compares logits only.
        folder: Where the files go.
        display: Told what was checked.

    Attributes:
        checks: What was checked so far, file by file.

    Raises:
        UsageError: If the network cannot be rebuilt from what is there.
        RunError: If it has another test accuracy than was recorded; from each method, if a form comes out differently.
    """

    def __init__(
        self,
        trained: TrainedNet,
        own: NetFactory | None,
        data: ImageData | None,
        folder: Path,
        display: Display,
    ) -> None:
        self._trained = trained
        self._own = own
        self._data = data
        self._folder = folder
        self._display = display
        self._net = trained.build(own)
        self._images = _example(trained, data)
        self._accuracy = None
        self.checks: list[Checked] = []
        if data is not None:
            self._accuracy = accuracy_on_test(self._net, data)
            recorded = require_recorded(trained, data, self._accuracy)
            display.say(f"test accuracy before: {100 * self._accuracy:.2f} %; {recorded}")

    @property
    def parameters(self) -> int:
        """How many the network has."""
        return sum(parameter.numel() for parameter in self._net.parameters())

    def write_weights(self) -> None:
        """Write weights, what describes them, and where timm can build the network what it needs for it."""
        import safetensors.torch
        import timm

        from lnas.export.timm_config import CONFIG, timm_config

        tensors = {name: tensor.contiguous() for name, tensor in self._trained.tensors().items()}
        write_whole(self._folder / _WEIGHTS, safetensors.torch.save(tensors))
        write_trained(self._folder, self._trained, _WEIGHTS)
        self._check(_WEIGHTS, read_trained(self._folder, self._trained.arch).build(self._own))
        if isinstance(self._trained.net, NetBuilder):
            classifier: Any = self._net.get_submodule("classifier")
            write_whole(self._folder / CONFIG, timm_config(self._trained, classifier.in_features))
            self._check(CONFIG, timm.create_model(f"local-dir:{self._folder}", pretrained=True).eval())

    def trace(self) -> ExportedProgram:
        """Return what `write_program` and `write_onnx` write."""
        from lnas.export.programs import to_program

        return to_program(self._net, self._images)

    def write_program(self, program: ExportedProgram) -> None:
        """Write what PyTorch runs without lnas."""
        from lnas.export.programs import load_program, program_bytes

        self._write_checked(_PROGRAM, program_bytes(program), load_program)

    def write_onnx(self, program: ExportedProgram) -> None:
        """Write what runs without PyTorch."""
        from lnas.export.onnx import load_onnx, onnx_bytes

        self._write_checked(_ONNX, onnx_bytes(program, self._trained.task), load_onnx)

    def _write_checked(self, file: str, content: bytes, load: Callable[[bytes], Forward]) -> None:
        self._check(file, load(content))
        write_whole(self._folder / file, content)

    def _check(self, file: str, reloaded: Forward) -> None:
        from lnas.export.agreement import largest_difference
        from lnas.export.cards import Checked

        difference = largest_difference(file, self._net, reloaded, self._images)
        accuracy = None
        if self._data is not None and self._accuracy is not None:
            accuracy = accuracy_on_test(reloaded, self._data)
            require_equal(file, self._accuracy, accuracy)
        self.checks.append(Checked(file, difference, accuracy))
        after = "" if accuracy is None else f", test accuracy {100 * accuracy:.2f} %"
        self._display.say(f"{self._folder / file}: reloaded, logits differ by at most {difference:.2g}{after}")


def _example(trained: TrainedNet, data: ImageData | None) -> Tensor:
    """Return normalised images: the first of the test split, else made up."""
    from lnas.data.batches import PreparedBatches
    from lnas.export.agreement import sample_images

    if data is None or len(data.splits["test"]) < _SAMPLES:
        return sample_images(trained.task, _SAMPLES)
    images, _ = next(iter(PreparedBatches(data.splits["test"], data, _SAMPLES, first=1)))
    return images
