"""What the model card says."""

from __future__ import annotations

from dataclasses import replace

from lnas.export.cards import Checked, model_card
from lnas.nets import NetBuilder
from lnas.nets.trained_file import ImageTask, SplitFacts, TrainedNet
from lnas.spaces import NatsTopologySpace

CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
TASK = ImageTask(
    "digits", 2, (3, 8, 9), (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), ("zero", "one"), {"test": SplitFacts(1234, "f")}
)
TRAINED = TrainedNet(
    NatsTopologySpace().parse(CELL),
    CELL,
    NetBuilder(channels=4, cells=2),
    TASK,
    {"test_acc": 0.91234, "val_loss": 0.5},
    {"epochs": 12},
    7,
    epoch=12,
    versions={"torch": "2.9"},
)


def card(trained: TrainedNet, drawing: str | None = "cell.svg") -> str:
    return model_card(trained, 11446, [Checked("model.safetensors", 0.0, 0.5), Checked("model.onnx", 7.2e-7)], drawing)


def test_numbers_stand_with_their_split_and_epoch() -> None:
    text = card(TRAINED)
    assert "| test | 1,234 | top-1 accuracy | 91.23 |" in text
    assert "| val | - | loss | 0.5000 |" in text
    assert "Weights are those after epoch 12." in text
    assert f"`{CELL}` of the space `nats_topology`, channels=4, cells=2, 11,446 parameters, 2 classes" in text
    assert "Classes, in the order of the outputs: zero, one." in text


def test_each_file_that_there_is_can_be_loaded_as_it_says() -> None:
    text = card(TRAINED)
    assert "read_trained" in text
    assert "onnxruntime" in text
    assert "model.pt2" not in text
    assert "| model.onnx | 7.2e-07 | - |" in text
    assert "| model.safetensors | 0 | 50.00 % |" in text


def test_what_is_not_known_is_said_to_be_unknown() -> None:
    assert "CC BY 4.0" in card(TRAINED)
    assert "not known to lnas" in card(replace(TRAINED, task=replace(TASK, name="mine")))
    assert "Not recorded" in card(TRAINED)
    assert '- rank: "angle+loss"' in card(replace(TRAINED, origin={"rank": "angle+loss"}))
    assert "cell.svg" not in card(TRAINED, None)
