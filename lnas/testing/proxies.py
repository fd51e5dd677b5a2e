"""The laws of zero-shot measures, as a suite to subclass."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from lnas.errors import UsageError
from lnas.proxies import PROXIES
from lnas.types import Estimate

if TYPE_CHECKING:
    from torch import Tensor, nn

Score = Callable[..., dict[str, Estimate]]
BuildNet = Callable[[], "nn.Module"]

_BLIND = ("params", "flops")
_SAME = 1e-6
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class ProxyContract:
    """What every zero-shot measure must hold to.

    Subclass it in a test file and give five fixtures: `name`, of a measure in `PROXIES`; `score`, that of
    `lnas.proxies`; `build`, which makes the same small net each time, with a linear layer at its end and weights that
    have gradients; `images` and `labels`, a batch for it. The suite imports no test library.

    Example:
        The laws on a net of one's own::

            class TestMyNet(ProxyContract):
                @pytest.fixture(params=PROXIES)
                def name(self, request):
                    return request.param

                @pytest.fixture
                def score(self):
                    return lnas.proxies.score

                @pytest.fixture
                def build(self):
                    return make_my_net  # and two more: images, labels
    """

    def test_everything_is_left_as_found(
        self, score: Score, name: str, build: BuildNet, images: Tensor, labels: Tensor
    ) -> None:
        """Weights, gradients, buffers, hooks, modes, the batch and all random generators, bit for bit."""
        net = _lived_in(build(), images)
        before = _state(net, images, labels)
        score(net, images, labels, [name])
        assert _changes(before, _state(net, images, labels)) == []

    def test_everything_is_left_as_found_by_a_failure(
        self, score: Score, name: str, build: BuildNet, images: Tensor, labels: Tensor
    ) -> None:
        """In the middle of a forward pass, and of a backward pass; which is a status and raises nothing."""
        for fail in (_fail_forward, _fail_backward):
            net = _lived_in(build(), images)
            _last_linear(net).register_forward_hook(fail)
            before = _state(net, images, labels)
            found = score(net, images, labels, [name])[name]
            assert found.status in ("ok", "failed"), found
            assert _changes(before, _state(net, images, labels)) == []

    def test_the_seed_decides_what_is_random(
        self, score: Score, name: str, build: BuildNet, images: Tensor, labels: Tensor
    ) -> None:
        """Not the state of the process's generators. The net's input is noisy here."""
        import torch

        net = build()
        net.register_forward_pre_hook(_drop_out)
        first = score(net, images, labels, [name], seed=3)[name]
        torch.rand(1), random.random(), np.random.rand()  # noqa: NPY002
        _assert_same(first, score(net, images, labels, [name], seed=3)[name], tolerance=0)

    def test_it_is_the_same_alone_and_among_all(
        self, score: Score, name: str, build: BuildNet, images: Tensor, labels: Tensor
    ) -> None:
        alone = score(build(), images, labels, [name])[name]
        _assert_same(alone, score(build(), images, labels, list(PROXIES))[name], _SAME)

    def test_the_mode_of_the_net_does_not_matter(
        self, score: Score, name: str, build: BuildNet, images: Tensor, labels: Tensor
    ) -> None:
        """Nor its running statistics: batch norms use those of the batch."""
        trained = _lived_in(build(), images)
        _assert_same(
            score(trained.train(), images, labels, [name])[name],
            score(trained.eval(), images, labels, [name])[name],
            tolerance=0,
        )

    def test_the_callers_gradient_mode_does_not_matter(
        self, score: Score, name: str, build: BuildNet, images: Tensor, labels: Tensor
    ) -> None:
        import torch

        expected = score(build(), images, labels, [name])[name]
        with torch.no_grad():
            _assert_same(expected, score(build(), images, labels, [name])[name], tolerance=0)
            assert not torch.is_grad_enabled()

    def test_a_net_that_ignores_its_input_has_no_number(
        self, score: Score, name: str, build: BuildNet, images: Tensor, labels: Tensor
    ) -> None:
        """But a size and a cost."""
        net = build()
        _last_linear(net).weight.data.zero_()
        assert score(net, images, labels, [name])[name].status == ("ok" if name in _BLIND else "nonfinite")

    def test_images_of_another_precision_are_refused(
        self, score: Score, name: str, build: BuildNet, images: Tensor, labels: Tensor
    ) -> None:
        message = _refusal(lambda: score(build().double(), images.float(), labels, [name]))
        assert "float32" in message, message
        assert "float64" in message, message


def _lived_in(net: nn.Module, images: Tensor) -> nn.Module:
    """Return the net as a user may have it: with gradients, frozen biases, hooks, modes and statistics of its own."""
    import torch

    net(images)
    generator = torch.Generator().manual_seed(0)
    for number, (name, parameter) in enumerate(net.named_parameters()):
        if number % 2:
            parameter.grad = torch.empty_like(parameter).normal_(generator=generator)
        parameter.requires_grad_(not name.endswith("bias"))
    for number, module in enumerate(net.modules()):
        module.training = number % 3 > 0
        module.register_forward_hook(_look)
        module.register_forward_pre_hook(_look_before)
    return net


def _look(module: nn.Module, inputs: Any, output: Any) -> None:
    """Change nothing."""


def _look_before(module: nn.Module, inputs: Any) -> None:
    """Change nothing."""


def _drop_out(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Disturb the net's input by all three generators."""
    from torch.nn import functional

    scale = 1 + 0.1 * random.random() + 0.1 * np.random.rand()  # noqa: NPY002
    return (functional.dropout(inputs[0], 0.1) * scale,)


def _fail_forward(module: nn.Module, inputs: Any, output: Tensor) -> None:
    raise RuntimeError("no forward pass")


def _fail_backward(module: nn.Module, inputs: Any, output: Tensor) -> None:
    if output.requires_grad:
        output.register_hook(_raise)


def _raise(gradient: Tensor) -> None:
    raise RuntimeError("no backward pass")


def _last_linear(net: nn.Module) -> nn.Linear:
    import torch

    return [module for module in net.modules() if isinstance(module, torch.nn.Linear)][-1]


def _state(net: nn.Module, images: Tensor, labels: Tensor) -> dict[str, object]:
    """Return all that a measure could leave a trace in, by name, to be compared with a later one."""
    found: dict[str, object] = {"images": _content(images), "labels": _content(labels)}
    for path, module in net.named_modules():
        found |= {f"{path}.{name}": value for name, value in _facts(module).items()}
    for name, parameter in net.named_parameters():
        found[name] = _content(parameter)
        found[f"gradient of {name}"] = None if parameter.grad is None else _content(parameter.grad)
    found |= {name: _content(buffer) for name, buffer in net.named_buffers()}
    return found | _randomness()


def _facts(module: nn.Module) -> dict[str, object]:
    """Return the class, the plain attributes and the hooks of a module."""
    plain = {name: value for name, value in vars(module).items() if isinstance(value, bool | int | float | str)}
    hooks = {name: list(vars(module)[name].values()) for name in _HOOKS}
    return {"class": type(module), "attributes": sorted(vars(module)), **plain, **hooks}


def _content(tensor: Tensor) -> tuple[object, ...]:
    """Return which tensor it is, and its bits."""
    import torch

    bits = tensor.detach().flatten().view(torch.uint8).numpy().tobytes()
    return id(tensor), tensor.dtype, tensor.stride(), tensor.requires_grad, bits


def _randomness() -> dict[str, object]:
    import torch

    return {
        "Python's generator": random.getstate(),
        "NumPy's generator": repr(np.random.get_state()),  # noqa: NPY002
        "PyTorch's generator": torch.get_rng_state().tolist(),
    }


def _changes(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """Return the names of what is new, gone or different."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _refusal(call: Callable[[], object]) -> str:
    try:
        found = call()
    except UsageError as error:
        return str(error)
    raise AssertionError(f"a call that should have raised UsageError gave {found}")


def _assert_same(one: Estimate, other: Estimate, tolerance: float) -> None:
    assert one.status == other.status, (one, other)
    if one.status == "ok":
        assert math.isclose(one.value, other.value, rel_tol=tolerance), (one, other)
