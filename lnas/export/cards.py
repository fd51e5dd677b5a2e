"""The model card: what a network is, what it reached, on what, and how to load it. Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lnas.nets.builder import NetBuilder
from lnas.nets.trained_file import TrainedNet

_TERMS = {
    "digits": "CC BY 4.0: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.",
    "cifar10": "The authors state no licence and ask to cite: A. Krizhevsky, Learning Multiple Layers of Features "
    "from Tiny Images, 2009.",
    "imagenet16-120": "ImageNet's terms: research and education that is not commercial.",
}
_TERMS |= {"cifar100": _TERMS["cifar10"], "cifar100-small": _TERMS["cifar10"], "tin16-120": _TERMS["imagenet16-120"]}

_LOADING = {
    "model.safetensors": """from lnas.nets.trained_file import read_trained

logits = read_trained("FOLDER").build()(images)""",
    "config.json": """import lnas.export, timm

logits = timm.create_model("local-dir:FOLDER", pretrained=True).eval()(images)""",
    "model.pt2": """import torch

logits = torch.export.load("FOLDER/model.pt2").module()(images)""",
    "model.onnx": """import onnxruntime

logits = onnxruntime.InferenceSession("FOLDER/model.onnx").run(None, {"images": images.numpy()})[0]""",
}


class Checked(NamedTuple):
    """A file, and how what it was reloaded to compares with the network that was trained.

    Attributes:
        file: Its name.
        difference: The largest of a logit.
        accuracy: On the test images, a fraction; None where it was not measured.
    """

    file: str
    difference: float
    accuracy: float | None = None


def model_card(trained: TrainedNet, parameters: int, checks: Sequence[Checked], drawing: str | None) -> str:
    """Write the card of an exported network.

    Args:
        trained: What was exported.
        parameters: How many the network has.
        checks: Of each file that a network can be loaded from.
        drawing: Name of the file in which the architecture is drawn, if it is.
    """
    sections = {
        "Numbers": _numbers(trained),
        "Images": _images(trained),
        "Load it": _loading(checks),
        "How it was trained": _training(trained),
        "How it was found": _facts(trained.origin) or ["Not recorded: the architecture was named by hand."],
        "What was checked": _checks(checks),
    }
    head = [*_FRONT, f"# {_title(trained)}", "", _summary(trained, parameters), ""]
    head += [f"![The architecture]({drawing})", ""] if drawing else []
    body = [line for title, lines in sections.items() for line in (f"## {title}", "", *lines, "")]
    return "\n".join([*head, *body])


_FRONT = [
    "---",
    "library_name: timm",
    "pipeline_tag: image-classification",
    "tags: [neural-architecture-search, lnas]",
    "---",
    "",
]


def _title(trained: TrainedNet) -> str:
    return f"{trained.arch.space} on {trained.task.name}"


def _summary(trained: TrainedNet, parameters: int) -> str:
    net, task = trained.net, trained.task
    size = f", channels={net.channels}" if isinstance(net, NetBuilder) else ""
    depth = f", cells={net.cells}" if isinstance(net, NetBuilder) and net.cells else ""
    return (
        f"An image classifier found by neural architecture search: `{trained.notation}` of the space "
        f"`{trained.arch.space}`{size}{depth}, {parameters:,} parameters, {task.num_classes} classes."
    )


def _numbers(trained: TrainedNet) -> list[str]:
    if not trained.metrics:
        return ["None were recorded."]
    rows = [_row(trained, name, value) for name, value in trained.metrics.items()]
    when = "" if trained.epoch is None else f" Weights are those after epoch {trained.epoch}."
    return [*_table(("split", "images", "measure", "value"), rows), "", f"Accuracies in per cent.{when}"]


def _row(trained: TrainedNet, name: str, value: float) -> tuple[str, ...]:
    split, _, measure = name.partition("_")
    facts = trained.task.splits.get(split)
    number = f"{100 * value:.2f}" if measure.startswith("acc") else f"{value:.4f}"
    title = {"acc": "top-1 accuracy", "acc5": "top-5 accuracy"}.get(measure, measure)
    return split, f"{facts.images:,}" if facts else "-", title, number


def _images(trained: TrainedNet) -> list[str]:
    task = trained.task
    _, height, width = task.input_size
    lines = [
        f"{task.name}: {height} x {width} pixels, RGB, brought to 0..1 and normalised, as trained on:",
        "",
        "```python",
        f"mean, std = torch.tensor({list(task.mean)}), torch.tensor({list(task.std)})",
        "images = (pixels / 255 - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)",
        "```",
        "",
    ]
    if task.classes is not None:
        lines += [f"Classes, in the order of the outputs: {', '.join(task.classes)}.", ""]
    return [*lines, f"Terms: {_TERMS.get(task.name, 'not known to lnas; ask whoever the images are from.')}"]


def _loading(checks: Sequence[Checked]) -> list[str]:
    snippets = (_LOADING[check.file] for check in checks if check.file in _LOADING)
    return [line for snippet in snippets for line in ("```python", *snippet.splitlines(), "```")]


def _training(trained: TrainedNet) -> list[str]:
    recipe = json.dumps(trained.recipe, indent=1, ensure_ascii=False)
    versions = ", ".join(f"{name} {version}" for name, version in trained.versions.items())
    return [f"Seed {trained.seed}; {versions}.", "", "```json", recipe, "```"]


def _facts(facts: Mapping[str, Any]) -> list[str]:
    return [f"- {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in facts.items()]


def _checks(checks: Sequence[Checked]) -> list[str]:
    rows = [
        (check.file, f"{check.difference:.2g}", "-" if check.accuracy is None else f"{100 * check.accuracy:.2f} %")
        for check in checks
    ]
    note = "Each file was read again and compared with the trained network, on batches of several sizes."
    return [*_table(("file", "largest difference of a logit", "test accuracy after reloading"), rows), "", note]


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (titles, ["---"] * len(titles), *rows):
        yield f"| {' | '.join(row)} |"
