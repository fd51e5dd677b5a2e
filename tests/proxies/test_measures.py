"""Every measure against formulas written out by hand, published definitions and the plain versions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from lnas.nets import build_net
from lnas.proxies import PROXIES, score
from lnas.spaces import NatsTopologySpace
from lnas.testing.plain_proxies import PLAIN
from lnas.types import Arch

CLASSES = 3
OF_THE_LOSS = ("grad_norm", "plain", "snip", "grasp", "fisher", "fisher_channel")
FEW = settings(deadline=None, max_examples=10)
seeds = st.integers(0, 10_000)


def value(name: str, net: nn.Module, images: Tensor, labels: Tensor | None = None, **options) -> float:
    estimate = score(net, images, labels, [name], **options)[name]
    assert estimate.status == "ok", estimate
    return estimate.value


def status(name: str, net: nn.Module, images: Tensor, labels: Tensor | None = None) -> str:
    return score(net, images, labels, [name])[name].status


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class LinearNet(nn.Module):
    """Layers without biases or activations on the flattened image; the last is the classifier."""

    def __init__(self, *weights: Tensor) -> None:
        super().__init__()
        layers = [nn.Linear(weight.shape[1], weight.shape[0], bias=False).double() for weight in weights]
        for layer, weight in zip(layers, weights, strict=True):
            layer.weight.data.copy_(weight)
        self.cells = nn.Sequential(*layers[:-1])
        self.classifier = layers[-1]

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.cells(images.flatten(1)))


class PooledNet(nn.Module):
    """1x1 convolution, ReLU, average pooling, linear layer; no biases."""

    def __init__(self, convolution: Tensor, linear: Tensor) -> None:
        super().__init__()
        self.cells = nn.Conv2d(convolution.shape[1], convolution.shape[0], 1, bias=False).double()
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(linear.shape[1], linear.shape[0], bias=False).double()
        self.cells.weight.data.copy_(convolution[:, :, None, None])
        self.classifier.weight.data.copy_(linear)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.relu(self.cells(images)).mean((2, 3)))


class NormedNet(nn.Module):
    """Two convolutions with batch norms and ReLUs, pooling, linear layer."""

    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.cells = nn.Sequential(
            nn.Conv2d(3, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(width, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.cells(images).mean((2, 3)))


def normed_net(seed: int) -> NormedNet:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return NormedNet().double()


class NormAndRelu(nn.BatchNorm2d):
    """A batch norm and an activation in one, as in timm."""

    def __init__(self, channels: int, in_place: bool) -> None:
        super().__init__(channels)
        self.relu = nn.ReLU(inplace=in_place)

    def forward(self, images: Tensor) -> Tensor:
        return self.relu(super().forward(images))


class PatchNet(nn.Module):
    """A linear layer on patches in an order that is a buffer; it may write over images, activations and sums."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.cells = nn.ModuleList([nn.Conv2d(3, 4, 2, 2, 1), NormAndRelu(4, in_place), nn.Linear(4, 4)])
            self.classifier = nn.Linear(4, CLASSES)
        self.register_buffer("order", torch.arange(16).flip(0))
        self.in_place = in_place

    def forward(self, images: Tensor) -> Tensor:
        convolution, norm, linear = self.cells
        bright = images.mul_(2) if self.in_place else images * 2
        patches = norm(convolution(bright)).flatten(2).transpose(1, 2)[:, self.order]
        found = linear(patches)
        summed = found.add_(patches) if self.in_place else found + patches
        return self.classifier(summed.mean(1))


class ByHand:
    """`PooledNet` on a batch, forwards and backwards, in NumPy: each name is what the formulas call it."""

    def __init__(self, convolution: np.ndarray, linear: np.ndarray, images: np.ndarray, labels: np.ndarray) -> None:
        n, _, height, width = images.shape
        self.a = np.einsum("kc,nchw->nkhw", convolution, images)
        self.on = self.a > 0
        self.h = (self.a * self.on).mean((2, 3))
        z = self.h @ linear.T
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        self.delta = (p - np.eye(len(linear))[labels]) / n
        self.z = z
        self.dh = self.delta @ linear
        self.da = self.dh[:, :, None, None] * self.on / (height * width)
        self.weights = [convolution, linear]
        self.gradients = [np.einsum("nkhw,nchw->kc", self.da, images), self.delta.T @ self.h]
        summed = linear.sum(0)[None, :, None, None] * self.on / (height * width)
        self.input_gradients = np.einsum("nkhw,kc->nchw", summed, convolution)
        self.jacobian = np.concatenate(
            [
                np.einsum("nkhw,nchw->nkc", summed, images).reshape(n, -1),
                np.tile(self.h, (1, len(linear))),
            ],
            axis=1,
        )


def pooled_case(seed: int) -> tuple[PooledNet, Tensor, Tensor, ByHand]:
    convolution, linear, images = drawn(seed, 5, 2), drawn(seed + 1, CLASSES, 5), drawn(seed + 2, 6, 2, 3, 3)
    labels = torch.arange(6) % CLASSES
    by_hand = ByHand(convolution.numpy(), linear.numpy(), images.numpy(), labels.numpy())
    return PooledNet(convolution, linear), images, labels, by_hand


@FEW
@given(seeds)
def test_first_order_measures_of_a_convolutional_net(seed: int) -> None:
    net, images, labels, hand = pooled_case(seed)
    products = [weight * gradient for weight, gradient in zip(hand.weights, hand.gradients, strict=True)]
    norms = sum(np.sqrt((gradient**2).sum()) for gradient in hand.gradients)
    assert value("grad_norm", net, images, labels) == pytest.approx(norms, rel=1e-10)
    assert value("snip", net, images, labels) == pytest.approx(sum(np.abs(each).sum() for each in products), rel=1e-10)
    signed = sum(each.sum() for each in products)
    assert value("plain", net, images, labels) == pytest.approx(signed, rel=1e-10, abs=1e-12)


@FEW
@given(seeds)
def test_fisher_of_a_convolutional_net(seed: int) -> None:
    """Channels of the convolution have two weights, those of the classifier five."""
    net, images, labels, hand = pooled_case(seed)
    of_convolution = ((hand.a * hand.da).sum((2, 3)) ** 2).mean(0).sum() / 2
    of_classifier = ((hand.z * hand.delta) ** 2).mean(0).sum() / 2
    assert value("fisher", net, images, labels) == pytest.approx(2 * of_convolution + 5 * of_classifier, rel=1e-10)
    assert value("fisher_channel", net, images, labels) == pytest.approx(of_convolution + of_classifier, rel=1e-10)


@FEW
@given(seeds)
def test_kernels_of_a_convolutional_net(seed: int) -> None:
    net, images, _, hand = pooled_case(seed)
    eigenvalues = np.linalg.eigvalsh(hand.jacobian @ hand.jacobian.T)
    assert value("ntk_cond", net, images) == pytest.approx(eigenvalues[-1] / eigenvalues[0], rel=1e-6)
    correlations = np.linalg.eigvalsh(np.corrcoef(hand.input_gradients.reshape(6, -1))) + 1e-5
    expected = -(np.log(correlations) + 1 / correlations).sum()
    assert value("jacob_cov", net, images) == pytest.approx(expected, rel=1e-6)


@FEW
@given(seeds)
def test_relu_kernel_of_a_convolutional_net(seed: int) -> None:
    net, images, _, hand = pooled_case(seed)
    on = hand.on.reshape(6, -1)
    kernel = (on[:, None] == on[None]).sum(2)
    assert value("relu_logdet", net, images) == pytest.approx(np.linalg.slogdet(kernel)[1], rel=1e-10)
    assert value("linear_regions", net, images) == len({row.tobytes() for row in on})


def test_plain_of_layers_without_biases_is_their_number_times_that_of_the_logits() -> None:
    """Euler: logits are homogeneous in the weights of each layer, so that sum W dL/dW = sum z dL/dz for each."""
    net, images, labels, hand = pooled_case(0)
    assert value("plain", net, images, labels) == pytest.approx(2 * (hand.z * hand.delta).sum(), rel=1e-10)


def test_a_convolution_before_a_batch_norm_adds_nothing_to_plain() -> None:
    """The loss does not change with the scale of its weights, up to the batch norm's epsilon."""
    net, images, labels = normed_net(0), drawn(1, 6, 3, 6, 6), torch.arange(6) % CLASSES
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-12
    features = net.cells(images).mean((2, 3)).detach()
    probabilities = net.classifier(features).softmax(1)
    delta = (probabilities - nn.functional.one_hot(labels, CLASSES)) / 6
    expected = float((net.classifier.weight * (delta.T @ features)).sum().detach())
    assert value("plain", net, images, labels) == pytest.approx(expected, abs=1e-9)


@FEW
@given(seeds)
def test_grasp_of_a_linear_classifier(seed: int) -> None:
    """H g of the cross-entropy: with u = X g^T, each image gives (diag(p) - p p^T) u x^T / n."""
    weight, images, labels = drawn(seed, CLASSES, 8), drawn(seed + 1, 6, 2, 2, 2), torch.arange(6) % CLASSES
    x, w = images.flatten(1).numpy(), weight.numpy()
    z = np.exp(x @ w.T)
    p = z / z.sum(1, keepdims=True)
    g = (p - np.eye(CLASSES)[labels.numpy()]).T @ x / 6
    u = x @ g.T
    curvature = p * u - p * (p * u).sum(1, keepdims=True)
    expected = -(w * (curvature.T @ x / 6)).sum()
    assert value("grasp", LinearNet(weight), images, labels) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_synflow_of_a_linear_net() -> None:
    """|W1| 1 = (3, 7), |W2| (3, 7) = (10, 17, 24): they sum to 51, once for each of the two layers."""
    net = LinearNet(
        torch.tensor([[1.0, -2.0], [-3.0, 4.0]]),
        torch.tensor([[1.0, 1.0], [-1.0, 2.0], [1.0, -3.0]]),
    )
    images = drawn(0, 2, 1, 1, 2)
    assert value("synflow", net, images) == 102
    assert value("synflow_bn", net, images) == 102
    assert value("synflow_log", net, images) == pytest.approx(math.log(102), rel=1e-12)


@FEW
@given(seeds, st.floats(0.25, 4))
def test_synflow_knows_no_signs_and_scales_with_each_layer(seed: int, scale: float) -> None:
    weights, images = [drawn(seed, 4, 3), drawn(seed + 1, CLASSES, 4)], drawn(seed, 2, 3, 1, 1)
    expected = value("synflow", LinearNet(*weights), images)
    assert value("synflow", LinearNet(-weights[0], weights[1].abs()), images) == pytest.approx(expected, rel=1e-12)
    assert value("synflow", LinearNet(scale * weights[0], weights[1]), images) == pytest.approx(
        scale * expected, rel=1e-12
    )


def test_synflow_leaves_batch_norms_out_and_synflow_bn_keeps_them() -> None:
    net, images = normed_net(0), drawn(1, 2, 3, 6, 6)
    expected, kept = value("synflow", net, images), value("synflow_bn", net, images)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.mul_(3)
    assert value("synflow", net, images) == pytest.approx(expected, rel=1e-12)
    assert value("synflow_bn", net, images) == pytest.approx(PLAIN["synflow_bn"](net, images, None), rel=1e-12)
    assert abs(value("synflow_bn", net, images) / kept - 1) > 0.1


@FEW
@given(seeds)
def test_kappa_of_a_linear_model_is_that_of_the_images(seed: int) -> None:
    """The gradient of the sum of C logits is the image, C times."""
    images = drawn(seed, 4, 3, 2, 2)
    singular_values = torch.linalg.svdvals(images.flatten(1))
    expected = float(singular_values[0] / singular_values[-1]) ** 2
    net = LinearNet(drawn(seed + 1, CLASSES, 12))
    assert value("ntk_cond", net, images) == pytest.approx(expected, rel=1e-8)


def test_kappa_of_orthonormal_images_is_one() -> None:
    images = torch.eye(4, dtype=torch.float64).reshape(4, 1, 2, 2)
    assert value("ntk_cond", LinearNet(drawn(0, CLASSES, 4)), images) == pytest.approx(1, rel=1e-12)


def test_kappa_of_more_images_than_weights_is_not_finite() -> None:
    """The kernel is singular; its smallest eigenvalue is rounding noise of either sign."""
    assert status("ntk_cond", LinearNet(drawn(0, 1, 4)), drawn(1, 7, 1, 2, 2)) == "nonfinite"


class Thresholds(nn.Module):
    """ReLUs of x - t for thresholds t, on images of one pixel x."""

    def __init__(self, thresholds: Tensor) -> None:
        super().__init__()
        self.units = nn.Linear(1, len(thresholds)).to(thresholds.dtype)
        self.relu = nn.ReLU()
        self.classifier = nn.Linear(len(thresholds), CLASSES).to(thresholds.dtype)
        self.units.weight.data.fill_(1)
        self.units.bias.data.copy_(-thresholds)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.relu(self.units(images.flatten(1))))


def line(*pixels: float) -> Tensor:
    return torch.tensor(pixels, dtype=torch.float64).reshape(-1, 1, 1, 1)


def test_regions_of_a_net_of_one_relu() -> None:
    assert value("linear_regions", Thresholds(torch.zeros(1)).double(), line(-2, -1, 1, 2)) == 2


@FEW
@given(st.sets(st.integers(-50, 50), min_size=1, max_size=20))
def test_regions_of_a_line_are_one_more_than_its_thresholds(thresholds: set[int]) -> None:
    """An image in every gap; as many again change nothing."""
    net = Thresholds(torch.tensor(sorted(thresholds), dtype=torch.float64))
    images = torch.arange(-51.0, 52, 0.25, dtype=torch.float64).reshape(-1, 1, 1, 1)
    assert value("linear_regions", net, images) == len(thresholds) + 1
    assert value("linear_regions", net, images.repeat(2, 1, 1, 1)) == len(thresholds) + 1


def test_a_last_group_of_one_image_counts_as_well() -> None:
    net = Thresholds(torch.zeros(1)).double()
    assert value("linear_regions_grouped", net, line(*[-1.0] * 1000, 1.0)) == 2


def test_relu_logdet_of_two_images() -> None:
    """Of four units they agree on three: |4 3; 3 4| = 7."""
    net = Thresholds(torch.tensor([-10.0, 0.0, 10.0, 20.0], dtype=torch.float64))
    assert value("relu_logdet", net, line(-1, 1)) == pytest.approx(math.log(7), rel=1e-12)


def test_relu_logdet_of_three_images() -> None:
    """Neighbours agree on one of two units, the ends on none: |2 1 0; 1 2 1; 0 1 2| = 4."""
    net = Thresholds(torch.tensor([-1.0, 1.0], dtype=torch.float64))
    assert value("relu_logdet", net, line(-2, 0, 2)) == pytest.approx(math.log(4), rel=1e-12)


def test_relu_logdet_of_images_that_switch_all_units_alike_is_not_finite() -> None:
    assert status("relu_logdet", Thresholds(torch.zeros(1)).double(), line(1, 2)) == "nonfinite"


def test_relu_logdet_of_more_images_than_units_is_not_finite() -> None:
    """The kernel is singular; a determinant of rounding noise would be anything."""
    thresholds = torch.linspace(-1, 1, 20, dtype=torch.float64)
    assert status("relu_logdet", Thresholds(thresholds), line(*torch.linspace(-2, 2, 40).tolist())) == "nonfinite"
    net = LinearNet(drawn(0, 120, 12), drawn(1, CLASSES, 120))
    net.cells.append(nn.ReLU())
    assert status("relu_logdet", net, drawn(2, 128, 3, 2, 2)) == "nonfinite"
    assert status("relu_logdet", net, drawn(2, 32, 3, 2, 2)) == "ok"


def test_jacob_cov_of_a_linear_net_has_equal_gradients() -> None:
    """The correlations are all one: an eigenvalue of n, and n - 1 of zero."""
    found = value("jacob_cov", LinearNet(drawn(0, CLASSES, 12)), drawn(1, 5, 3, 2, 2))
    expected = -(math.log(5 + 1e-5) + 1 / (5 + 1e-5) + 4 * (math.log(1e-5) + 1e5))
    assert found == pytest.approx(expected, rel=1e-8)


def test_jacob_cov_of_uncorrelated_gradients() -> None:
    """Unit i is on for image i alone, and its weights are a row of a Hadamard matrix: all eigenvalues are one."""
    rows = torch.tensor([[1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=torch.float64)
    net = PooledNet(rows, torch.tensor([[1, 2, 3], [0, -1, -2], [0, 0, 0]], dtype=torch.float64))
    found = value("jacob_cov", net, rows.reshape(3, 4, 1, 1))
    assert found == pytest.approx(-3 * (math.log(1 + 1e-5) + 1 / (1 + 1e-5)), rel=1e-12)


def units_images(*rows: tuple[float, ...]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64).reshape(len(rows), -1, 1, 1)


def test_kernel_regression_of_the_last_layer() -> None:
    """Fitted on e1 of class 0 and e2 of class 1, (a, b) is predicted as (a, b, 0)."""
    net = LinearNet(drawn(0, CLASSES, 2))
    train = units_images((1, 0), (0, 1)), torch.tensor([0, 1])
    test = units_images((0.5, 1), (3, 0), (2, 2)), torch.tensor([0, 0, 2])
    expected = (math.hypot(-0.5, 1) + 2 + 3) / 3
    assert value("ntk_mse", net, *train, test=test) == pytest.approx(expected, rel=1e-10)


def test_kernel_regression_of_the_cells() -> None:
    """Targets are (1, -1, 0) / 2 and its negative; the truth of the test images, all of one class, is zero."""
    net = LinearNet(torch.eye(2, dtype=torch.float64), torch.tensor([[1.0, 2.0], [0.0, -1.0], [0.0, 0.0]]))
    train = units_images((1, 0), (0, 1)), torch.tensor([0, 1])
    test = units_images((0.5, 1), (3, 0)), torch.tensor([2, 2])
    expected = ((0.25**2 + 0.25**2) + (1.5**2 + 1.5**2)) / 2
    assert value("ntk_mse_cells", net, *train, test=test) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", ["ntk_mse", "ntk_mse_cells"])
def test_kernel_regression_repeats_what_it_was_fitted_on(name: str) -> None:
    images, labels = drawn(0, 3, 3, 2, 2), torch.arange(3)
    net = LinearNet(drawn(1, 4, 12), drawn(2, CLASSES, 4))
    assert value(name, net, images, labels, test=(images, labels)) == pytest.approx(0, abs=1e-8)


def test_size_and_cost_by_hand() -> None:
    """A 1x1 convolution from 2 to 5 channels on 9 pixels, a linear layer from 5 to 3."""
    net, images, _, _ = pooled_case(0)
    assert value("params", net, images) == 10 + 15
    assert value("flops", net, images) == 9 * 10 + 15


NETS = {
    "pooled": lambda: pooled_case(3)[0],
    "normed": lambda: normed_net(3),
}


@FEW
@given(st.sampled_from(sorted(NETS)), st.permutations(range(6)))
def test_the_order_of_the_images_does_not_matter(net_name: str, order: list[int]) -> None:
    net, images, labels = NETS[net_name](), drawn(5, 6, 2 + (net_name == "normed"), 3, 3), torch.arange(6) % CLASSES
    test = drawn(6, *images.shape), labels
    one = score(net, images, labels, PROXIES, test=test)
    other = score(net, images[order], labels[order], PROXIES, test=test)
    for name in PROXIES:
        assert one[name].status == other[name].status, name
        if one[name].status == "ok":
            assert other[name].value == pytest.approx(one[name].value, rel=1e-6, abs=1e-9), name


@FEW
@given(seeds, st.sampled_from([0.25, 2.0, 8.0]))
def test_the_brightness_of_the_images_does_not_matter_without_biases(seed: int, scale: float) -> None:
    """Units are on for the same images, and kernels change by a factor."""
    net, images, labels, _ = pooled_case(seed)
    test = drawn(seed + 3, *images.shape), labels
    for name in ("relu_logdet", "linear_regions", "jacob_cov", "ntk_cond", "ntk_mse", "synflow"):
        expected = value(name, net, images, labels, test=test)
        scaled = value(name, net, scale * images, labels, test=(scale * test[0], labels))
        assert scaled == pytest.approx(expected, rel=1e-6), name


@FEW
@given(seeds)
def test_measures_of_the_loss_are_ordered(seed: int) -> None:
    net, images, labels = normed_net(seed), drawn(seed, 5, 3, 4, 4), torch.arange(5) % CLASSES
    found = {name: estimate.value for name, estimate in score(net, images, labels, OF_THE_LOSS).items()}
    assert found["snip"] >= abs(found["plain"])
    assert found["fisher"] >= found["fisher_channel"] >= 0
    assert found["grad_norm"] > 0


@FEW
@given(seeds, st.permutations(range(CLASSES)))
def test_the_names_of_the_classes_do_not_matter(seed: int, order: list[int]) -> None:
    """Labels and the classifier's rows are renamed together."""
    net, images, labels = normed_net(seed), drawn(seed, 5, 3, 4, 4), torch.arange(5) % CLASSES
    expected = score(net, images, labels, OF_THE_LOSS)
    net.classifier.weight.data = net.classifier.weight.data[order]
    net.classifier.bias.data = net.classifier.bias.data[order]
    renamed = torch.tensor(order).argsort()[labels]
    for name, estimate in score(net, images, renamed, OF_THE_LOSS).items():
        assert estimate.value == pytest.approx(expected[name].value, rel=1e-8, abs=1e-12), name


@pytest.mark.parametrize("name", ["relu_logdet", "linear_regions"])
def test_patterns_of_a_bfloat16_net_are_counted_exactly(name: str) -> None:
    """More units than bfloat16 can count; compared with its own activations."""
    net, images = normed_net(0).bfloat16(), drawn(0, 8, 3, 12, 12).bfloat16()
    assert value(name, net, images) == pytest.approx(PLAIN[name](net, images, None), rel=1e-12)


def test_many_units_are_counted_exactly() -> None:
    """More than 2^14, where another kind of matrix product may be chosen."""
    net, images = PooledNet(drawn(0, 16, 3), drawn(1, CLASSES, 16)).float(), drawn(2, 8, 3, 40, 40).float()
    assert value("relu_logdet", net, images) == pytest.approx(PLAIN["relu_logdet"](net, images, None), rel=1e-12)


CELLS = {
    "conv3x3": (3, 3, 3, 3, 3, 3),
    "mixed": (2, 4, 3, 1, 2, 4),
    "no convolution": (1, 4, 1, 0, 4, 1),
    "dead node": (3, 3, 0, 1, 0, 3),
    "convolution of zeros": (0, 3, 2, 3, 0, 3),
}


@pytest.mark.parametrize("cell", CELLS)
def test_all_measures_equal_their_plain_versions(cell: str) -> None:
    """On a batch with labels, in float64; `plain_proxies` shares no code with what it checks."""
    torch.manual_seed(0)
    net = build_net(Arch("nats_topology", CELLS[cell]), channels=4, cells=1, dead_edges="computed").double()
    images, labels = drawn(1, 6, 3, 8, 8), torch.arange(6) % 10
    test = drawn(2, 6, 3, 8, 8), (torch.arange(6) + 3) % 10
    found = score(net, images, labels, PROXIES, test=test)
    for name in PROXIES:
        options = {"test": test} if name.startswith("ntk_mse") else {}
        assert found[name].status == "ok", (name, found[name])
        assert found[name].value == pytest.approx(PLAIN[name](net, images, labels, **options), rel=1e-7), name


@pytest.mark.parametrize("cell", ["dead node", "convolution of zeros"])
def test_dead_edges_that_are_not_computed_change_no_measure_of_the_logits(cell: str) -> None:
    """Measures that count units or operations count them; of fresh nets, all others see zeros there."""
    found = []
    for dead_edges in ("computed", "benchmark"):
        torch.manual_seed(0)
        net = build_net(Arch("nats_topology", CELLS[cell]), channels=4, cells=1, dead_edges=dead_edges).double()
        found.append(score(net, drawn(1, 6, 3, 8, 8), torch.arange(6) % 10, PROXIES))
    computed, skipped = found
    for name in PROXIES.keys() - {"flops", "relu_logdet", "linear_regions", "linear_regions_grouped"}:
        assert skipped[name].value == pytest.approx(computed[name].value, rel=1e-9), name
    assert skipped["flops"].value <= computed["flops"].value
    assert skipped["relu_logdet"].value < computed["relu_logdet"].value


def test_all_measures_equal_their_plain_versions_on_a_net_that_writes_over_its_tensors() -> None:
    """The plain versions see one that does not."""
    net, plain_net = PatchNet(in_place=True).double(), PatchNet(in_place=False).double()
    images, labels = drawn(1, 6, 3, 6, 6), torch.arange(6) % CLASSES
    shown = images.clone()
    found = score(net, images, labels, PROXIES)
    assert torch.equal(images, shown)
    for name in PROXIES:
        assert found[name].status == "ok", (name, found[name])
        assert found[name].value == pytest.approx(PLAIN[name](plain_net, images, labels), rel=1e-7), name


def test_every_measure_has_a_plain_version() -> None:
    assert PLAIN.keys() == PROXIES.keys()


@pytest.mark.slow
def test_all_measures_equal_their_plain_versions_on_random_cells() -> None:
    space, rng = NatsTopologySpace(), np.random.default_rng(0)
    images, labels = drawn(1, 6, 3, 8, 8), torch.arange(6) % 10
    for _ in range(20):
        net = build_net(space.sample(rng), channels=4, cells=1, dead_edges="computed").double()
        for name, estimate in score(net, images, labels, PROXIES).items():
            if estimate.status == "ok":
                assert estimate.value == pytest.approx(PLAIN[name](net, images, labels), rel=1e-6), name
