"""The laws of networks of regions: one suite for stand-alone nets and supernets."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from lnas.errors import UsageError
from lnas.spaces import SearchSpace
from lnas.types import Arch, Region

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lnas.nets import RegionNet

_TOLERANCE = 1e-4


class NetContract:
    """What the networks of a space must hold to.

    Subclass it in a test file and give three fixtures: `space`; `build`, which makes a small network of a region;
    `images`, a batch for it. The suite makes a supernet and stand-alone nets of random architectures.

    Attributes:
        samples: How many random architectures each law is tried on.
    """

    samples = 6

    def mixes(self, space: SearchSpace) -> bool:
        """Tell whether mixtures are defined: everywhere, unless a subclass says otherwise."""
        return True

    def region(self, space: SearchSpace) -> Region:
        """Return what the supernet is built of: the whole space, unless a subclass says that this takes too long."""
        return space.region

    def test_a_path_is_the_subnet_bit_for_bit(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        """In eval mode, where batch norms have statistics of their own."""
        import torch

        supernet = self._supernet(space, build, images)
        for arch in self._sampled(space):
            with torch.no_grad():
                assert torch.equal(supernet(images, arch), supernet.subnet(arch)(images)), arch

    def test_a_path_is_the_stand_alone_net_with_the_same_weights(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        import torch

        supernet = self._supernet(space, build, images)
        for arch in self._sampled(space):
            net = build(Region.of(arch)).eval()
            net.load_state_dict(supernet.subnet(arch).state_dict())
            with torch.no_grad():
                assert torch.equal(supernet(images, arch), net(images)), arch

    def test_a_subnet_shares_the_weights(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        """What changes the supernet in place changes the subnet."""
        import torch

        supernet = self._supernet(space, build, images)
        subnets = {arch: supernet.subnet(arch) for arch in self._sampled(space)}
        with torch.no_grad():
            for weight in supernet.parameters():
                weight.mul_(0.9)
            for arch, subnet in subnets.items():
                assert torch.equal(supernet(images, arch), subnet(images)), arch

    def test_no_call_depends_on_an_earlier_one(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        """There is no active path, and eval mode changes nothing."""
        import torch

        supernet = self._supernet(space, build, images)
        archs = self._sampled(space)
        before = pickle.dumps(supernet)
        with torch.no_grad():
            forward = [supernet(images, arch) for arch in archs]
            backward = [supernet(images, arch) for arch in reversed(archs)]
        assert all(torch.equal(one, other) for one, other in zip(forward, reversed(backward), strict=True))
        assert pickle.dumps(supernet) == before

    def test_gradients_reach_the_path_only(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        supernet = self._supernet(space, build, images).train()
        for arch in self._sampled(space):
            supernet.zero_grad(set_to_none=True)
            supernet(images, arch).square().sum().backward()
            reached = {name for name, weight in supernet.named_parameters() if weight.grad is not None}
            assert "classifier.weight" in reached
            assert reached <= {name for name, _ in supernet.subnet(arch).named_parameters()}, arch

    def test_the_classifier_is_the_last_linear_layer(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        import torch

        for arch in self._sampled(space):
            net = build(Region.of(arch)).eval()
            seen: list[Tensor] = []
            hook = net.classifier.register_forward_hook(lambda module, inputs, output, seen=seen: seen.append(output))
            with torch.no_grad():
                logits = net(images)
            hook.remove()
            assert len(seen) == 1
            assert torch.equal(seen[0], logits)
            assert isinstance(net.classifier, torch.nn.Linear)

    def test_stages_can_be_asked_for_by_name(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        """The last one is what the classifier sees; hooks are gone afterwards."""
        import torch

        supernet = self._supernet(space, build, images)
        arch = self._sampled(space)[0]
        with torch.no_grad():
            features = supernet.stage_features(images, list(supernet.stages), arch)
            assert list(features) == list(supernet.stages)
            last = list(features.values())[-1]
            assert torch.equal(supernet.subnet(arch).classifier(last), supernet(images, arch))
        assert not any(module._forward_hooks for module in supernet.modules())
        _assert_refused(lambda: supernet.stage_features(images, ["no such stage"], arch))

    def test_a_mixture_of_one_is_the_path(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        """With fresh batch norms, the identity in eval mode. Where there are no mixtures, they are refused."""
        import torch

        supernet = build(self.region(space)).eval()
        if not self.mixes(space):
            weights = [torch.ones(len(allowed)) for allowed in supernet.region.choices]
            _assert_refused(lambda: supernet(images, weights=weights))
            return
        for arch in self._sampled(space):
            picked = zip(arch.genes, supernet.region.choices, strict=True)
            weights = [torch.tensor([float(choice == gene) for choice in allowed]) for gene, allowed in picked]
            with torch.no_grad():
                mixed = supernet(images, weights=weights)
                torch.testing.assert_close(mixed, supernet(images, arch), rtol=_TOLERANCE, atol=_TOLERANCE)

    def test_what_is_outside_the_region_is_refused(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        one, *others = self._sampled(space)
        other = next(arch for arch in others if arch != one)
        net = build(Region.of(one))
        _assert_refused(lambda: net(images, other))
        _assert_refused(lambda: net.subnet(other))
        _assert_refused(lambda: net(images, Arch("no such space", one.genes)))
        _assert_refused(lambda: net(images, weights=[]))
        _assert_refused(lambda: build(self.region(space))(images))

    def test_it_can_be_pickled_and_copied(
        self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor
    ) -> None:
        """Worker processes and checkpoints do."""
        import torch

        supernet = self._supernet(space, build, images)
        arch = self._sampled(space)[0]
        with torch.no_grad():
            for twin in (pickle.loads(pickle.dumps(supernet)), copy.deepcopy(supernet)):
                assert torch.equal(twin(images, arch), supernet(images, arch))

    def _sampled(self, space: SearchSpace) -> list[Arch]:
        rng = np.random.default_rng(0)
        return [space.sample_from(self.region(space), rng) for _ in range(self.samples)]

    def _supernet(self, space: SearchSpace, build: Callable[[Region], RegionNet], images: Tensor) -> RegionNet:
        """Build the supernet of the space in eval mode, with batch norms that are not the identity."""
        import torch

        supernet = build(self.region(space))
        generator = torch.Generator().manual_seed(0)
        for module in supernet.modules():
            if isinstance(module, torch.nn.BatchNorm2d) and module.running_mean is not None:
                _shake(module, generator)
        return supernet.eval()


def _shake(norm: nn.BatchNorm2d, generator: object) -> None:
    norm.running_mean.normal_(0, 0.1, generator=generator)  # type: ignore[union-attr, arg-type]
    norm.running_var.uniform_(0.5, 1.5, generator=generator)  # type: ignore[union-attr, arg-type]
    if norm.affine:
        norm.weight.data.uniform_(0.5, 1.5, generator=generator)  # type: ignore[arg-type]
        norm.bias.data.normal_(0, 0.5, generator=generator)  # type: ignore[arg-type]


def _assert_refused(call: Callable[[], object]) -> None:
    try:
        call()
    except UsageError:
        return
    raise AssertionError("a call that should have raised UsageError returned")
