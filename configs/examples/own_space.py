"""A space of one's own and its networks: perceptrons with two hidden layers. Nothing is registered anywhere."""

from torch import Tensor, nn

from lnas.spaces import Decision, ProductSpace
from lnas.types import Arch

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "tanh": nn.Tanh}
WIDTHS = ("4", "8", "16", "32", "64")


class PerceptronSpace(ProductSpace):
    """Width and activation of each hidden layer: 225 architectures, written as in `32:relu:16:tanh`."""

    name = "perceptron"
    decisions = (
        Decision("width 1", WIDTHS),
        Decision("activation 1", tuple(ACTIVATIONS)),
        Decision("width 2", WIDTHS),
        Decision("activation 2", tuple(ACTIVATIONS)),
    )


class Perceptron(nn.Module):
    """Images (B, 3, H, W), pooled to 8 x 8 pixels, to logits; `classifier` is the last linear layer."""

    def __init__(self, labels: tuple[str, ...], num_classes: int) -> None:
        super().__init__()
        layers, width = [nn.AdaptiveAvgPool2d(8), nn.Flatten()], 3 * 8 * 8
        for next_width, activation in zip(map(int, labels[::2]), labels[1::2], strict=True):
            layers += [nn.Linear(width, next_width), ACTIVATIONS[activation]()]
            width = next_width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images to logits."""
        return self.classifier(self.features(images))


def build_perceptron(arch: Arch, num_classes: int) -> nn.Module:
    """Build the network of an architecture."""
    return Perceptron(PerceptronSpace().labels(arch), num_classes)
