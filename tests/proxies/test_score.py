"""What `score` gives for a set of names, and what it says of bad input."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lnas.errors import UsageError
from lnas.nets import build_net
from lnas.proxies import PROXIES, score
from lnas.types import Arch

BLIND = {"params", "flops"}
OF_RELUS = ("relu_logdet", "linear_regions", "linear_regions_grouped")
ARCH = Arch("nats_topology", (3, 1, 2, 0, 4, 3))
NEED_LABELS = ("grad_norm", "plain", "snip", "grasp", "fisher", "fisher_channel", "ntk_mse", "ntk_mse_cells")


@pytest.fixture
def net() -> nn.Module:
    torch.manual_seed(0)
    return build_net(ARCH, channels=4, cells=1)


@pytest.fixture
def images() -> Tensor:
    return torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def labels() -> Tensor:
    return torch.arange(6)


def without_relus() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))


def assert_refused(said: str, *arguments: Any, **options: Any) -> None:
    """Expect an error of one line that says so."""
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        score(*arguments, **options)
    assert "\n" not in str(caught.value)


def test_there_is_an_estimate_for_each_name_in_the_order_asked_for(
    net: nn.Module, images: Tensor, labels: Tensor
) -> None:
    names = ["snip", "params", "relu_logdet", "snip"]
    found = score(net, images, labels, names)
    assert list(found) == ["snip", "params", "relu_logdet"]
    assert all(estimate.status == "ok" and estimate.seconds > 0 for estimate in found.values())


def test_all_measures_have_a_number_on_a_common_net(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    found = score(net, images, labels, PROXIES)
    assert found.keys() == PROXIES.keys()
    assert {name for name, estimate in found.items() if estimate.status != "ok"} == set()


def test_no_names_give_no_estimates(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    assert score(net, images, labels, []) == {}


@pytest.mark.parametrize(("wrong", "near"), [("sinp", "snip"), ("synflo", "synflow"), ("NTK_cond", "ntk_cond")])
def test_an_unknown_name_is_answered_with_the_nearest(
    net: nn.Module, images: Tensor, labels: Tensor, wrong: str, near: str
) -> None:
    assert_refused(f"Did you mean '{near}'?", net, images, labels, ["params", wrong])


def test_one_name_is_no_list_of_names(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    assert_refused('["snip"]', net, images, labels, "snip")


@pytest.mark.parametrize("name", PROXIES)
def test_labels_are_needed_by_some_measures_only(net: nn.Module, images: Tensor, name: str) -> None:
    if name in NEED_LABELS:
        assert_refused("labels", net, images, None, [name])
    else:
        assert score(net, images, None, [name])[name].status == "ok"


@pytest.mark.parametrize("name", PROXIES)
def test_one_image_is_no_batch(net: nn.Module, images: Tensor, labels: Tensor, name: str) -> None:
    assert_refused("n >= ", net, images[:1], labels[:1], [name])


@pytest.mark.parametrize("name", OF_RELUS)
def test_a_net_without_relus_has_no_activation_patterns(images: Tensor, name: str) -> None:
    """Which ends no search: some candidates may have ReLUs, and others none."""
    found = score(without_relus(), images, None, [name])[name]
    assert found.status == "failed"
    assert "expected a net that calls modules of torch.nn.ReLU" in found.detail["error"]


def test_a_net_without_relus_has_the_other_measures(images: Tensor, labels: Tensor) -> None:
    names = [name for name in PROXIES if name not in OF_RELUS]
    found = score(without_relus(), images, labels, names)
    assert {name for name, estimate in found.items() if estimate.status != "ok"} == set()


@pytest.mark.parametrize("pixel", [float("nan"), float("inf")])
def test_broken_images_give_no_numbers(net: nn.Module, images: Tensor, labels: Tensor, pixel: float) -> None:
    """But for measures that look at the size of the images only."""
    images[2, 1, 3, 3] = pixel
    found = score(net, images, labels, PROXIES)
    blind = BLIND | {name for name in PROXIES if name.startswith("synflow")}
    assert {name for name, estimate in found.items() if estimate.status == "ok"} <= blind
    assert {found[name].status for name in PROXIES.keys() - blind} == {"nonfinite"}


@pytest.mark.parametrize("label", [-1, 10, 255])
def test_labels_out_of_range_are_refused(net: nn.Module, images: Tensor, labels: Tensor, label: int) -> None:
    labels[3] = label
    for name in ("snip", "ntk_mse", "ntk_mse_cells"):
        assert_refused(str(label), net, images, labels, [name])


@pytest.mark.parametrize("shape", [(6, 3), (3, 8, 8), (6, 1, 3, 8, 8)])
def test_images_have_four_dimensions(net: nn.Module, labels: Tensor, shape: tuple[int, ...]) -> None:
    assert_refused("(n, C, H, W)", net, torch.zeros(shape), labels, ["params"])


def test_images_are_a_tensor(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    assert_refused("ndarray", net, images.numpy(), labels, ["params"])


@pytest.mark.parametrize(
    "wrong", [torch.arange(5), torch.arange(6.0), torch.zeros(6, 1, dtype=torch.long), [0, 1, 2, 3, 4, 5]]
)
def test_labels_are_one_integer_per_image(net: nn.Module, images: Tensor, wrong: Any) -> None:
    assert_refused("integer labels of shape (6,)", net, images, wrong, ["snip"])


def test_images_are_of_the_nets_precision(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    assert_refused("float64", net.double(), images, labels, ["snip"])


def test_test_images_are_checked_as_well(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    assert_refused("test", net, images, labels, ["ntk_mse"], test=(images.double(), labels))
    assert_refused("test", net, images, labels, ["ntk_mse"], test=(images, labels[:2]))


@pytest.mark.parametrize("name", ["ntk_mse", "ntk_mse_cells"])
def test_halves_of_one_image_are_refused(net: nn.Module, images: Tensor, labels: Tensor, name: str) -> None:
    assert_refused("expected n >= 4 images", net, images[:3], labels[:3], [name])
    assert score(net, images[:4], labels[:4], [name])[name].status == "ok"
    assert score(net, images[:2], labels[:2], [name], test=(images[2:], labels[2:]))[name].status == "ok"


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8])
def test_labels_are_integers_of_any_size(net: nn.Module, images: Tensor, labels: Tensor, dtype: torch.dtype) -> None:
    names = ["snip", "ntk_mse", "ntk_mse_cells"]
    expected, found = (score(net, images, each, names) for each in (labels, labels.to(dtype)))
    assert {name: item.value for name, item in found.items()} == {name: item.value for name, item in expected.items()}


def test_what_is_no_net_no_names_and_no_test_batch_is_refused(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    assert_refused("expected a torch.nn.Module, got None", None, images, labels, ["params"])
    assert_refused("expected a list of names, got None", net, images, labels, None)
    assert_refused("unknown measure '1'", net, images, labels, [1])
    assert_refused("expected images and their labels", net, images, labels, ["ntk_mse"], test=images)


class Tupled(nn.Sequential):
    def forward(self, images: Tensor) -> Any:
        return super().forward(images), None


def test_a_net_that_returns_no_logits_is_refused(images: Tensor, labels: Tensor) -> None:
    convolution = nn.Conv2d(3, 10, 3)
    expected = "expected a net that returns logits of shape (6, classes), got "
    assert_refused(f"{expected}(6, 10, 6, 6)", convolution, images, labels, ["snip"])
    assert_refused(f"{expected}'tuple'", Tupled(convolution), images, labels, ["relu_logdet", "snip"])


def test_a_linear_layer_that_is_no_classifier_has_no_features(images: Tensor, labels: Tensor) -> None:
    """Here one that weighs channels, in a net that ends with a convolution."""

    class Weighing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.last, self.weighing = nn.Conv2d(3, 10, 1), nn.Linear(3, 3)

        def forward(self, images: Tensor) -> Tensor:
            pooled = images.mean((2, 3))
            return self.last((pooled * self.weighing(pooled))[..., None, None]).flatten(1)

    found = score(Weighing(), images, labels, ["ntk_mse", "snip"])
    assert found["snip"].status == "ok"
    assert "expected a net with a linear classifier" in found["ntk_mse"].detail["error"]


class Broken(nn.Module):
    """Raises in the forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Linear(3, 10)

    def forward(self, images: Tensor) -> Tensor:
        raise RuntimeError("out of order")


def test_a_net_that_raises_is_a_failure_that_says_why(images: Tensor, labels: Tensor) -> None:
    found = score(Broken(), images, labels, PROXIES)
    assert found["params"].value == 40
    for name in PROXIES.keys() - {"params"}:
        assert found[name].status == "failed", name
        assert "RuntimeError: out of order" in found[name].detail["error"], name


def refuse_second_order(module: nn.Module, inputs: Any, output: Tensor) -> None:
    """Let the loss be differentiated, but not its gradients."""
    if output.requires_grad:
        output.register_hook(refuse_to_differentiate)


def refuse_to_differentiate(gradient: Tensor) -> None:
    if gradient.requires_grad:
        gradient.register_hook(out_of_order)


def out_of_order(gradient: Tensor) -> None:
    raise RuntimeError("out of order")


def test_a_measure_that_raises_takes_no_other_with_it(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    """Else a number would depend on what else was asked for."""
    net.classifier.register_forward_hook(refuse_second_order)
    found = score(net, images, labels, PROXIES)
    assert {name for name, estimate in found.items() if estimate.status != "ok"} == {"grasp"}
    assert found["grasp"].status == "failed"
    assert "out of order" in found["grasp"].detail["error"]


def test_without_test_images_the_second_half_tests_what_the_first_was_fitted_on(
    net: nn.Module, images: Tensor, labels: Tensor
) -> None:
    """Each half by its own batch statistics; the others see the whole batch all the same."""
    names = ["ntk_mse", "ntk_mse_cells", "snip"]
    halved = score(net, images, labels, names)
    split = score(net, images[:3], labels[:3], names, test=(images[3:], labels[3:]))
    assert halved["ntk_mse"].value == pytest.approx(split["ntk_mse"].value, rel=1e-4)
    assert halved["ntk_mse_cells"].value == pytest.approx(split["ntk_mse_cells"].value, rel=1e-4)
    assert halved["snip"].value == score(net, images, labels, ["snip"])["snip"].value != split["snip"].value


def test_inference_mode_around_it_changes_nothing(net: nn.Module, images: Tensor, labels: Tensor) -> None:
    expected = score(net, images, labels, PROXIES)
    with torch.inference_mode():
        found = score(net, images.clone(), labels.clone(), PROXIES)
        assert torch.is_inference_mode_enabled()
    assert {name: item.value for name, item in found.items()} == {name: item.value for name, item in expected.items()}


def test_tied_weights_count_once(images: Tensor, labels: Tensor) -> None:
    torch.manual_seed(0)
    layers = [
        nn.Flatten(),
        nn.Linear(images[0].numel(), 12),
        nn.ReLU(),
        nn.Linear(12, 12),
        nn.ReLU(),
        nn.Linear(12, 12),
    ]
    layers[5].weight = layers[3].weight
    found = score(nn.Sequential(*layers), images, labels, ["snip", "grad_norm", "synflow", "params"])
    assert {item.status for item in found.values()} == {"ok"}
    assert found["params"].value == images[0].numel() * 12 + 144 + 36
