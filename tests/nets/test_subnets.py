"""Stand-alone nets with a supernet's weights."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor

from lnas.errors import UsageError
from lnas.nets import NetBuilder, RegionNet, SubnetsOf, build_supernet
from lnas.nets.supernet_file import DEFAULT_SUPERNET
from lnas.spaces import NatsSizeSpace, NatsTopologySpace
from lnas.training import SupernetModule, quiet_lightning, short_trainer
from lnas.types import Arch, Region, describe

SPACE = NatsTopologySpace()
MIXED = SPACE.parse("|nor_conv_1x1~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|")
OTHER = SPACE.parse("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|")
SMALL = NetBuilder(channels=4, cells=1, affine=False)


@pytest.fixture(scope="module")
def supernet() -> RegionNet:
    """Return one whose running statistics are not those of a fresh one."""
    torch.manual_seed(0)
    net = build_supernet(SPACE, 7, 4, 1)
    for arch in (MIXED, OTHER):
        net(torch.randn(8, 3, 8, 8), arch)
    return net


@pytest.fixture
def weights(supernet: RegionNet, tmp_path: Path) -> Path:
    path = tmp_path / "supernet.safetensors"
    safetensors.torch.save_file(supernet.state_dict(), path)
    return path


def images() -> Tensor:
    return torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("arch", [MIXED, OTHER])
def test_a_net_computes_what_its_path_through_the_supernet_does(supernet: RegionNet, weights: Path, arch: Arch) -> None:
    net = SubnetsOf(weights, SMALL)(arch, 7)
    assert net.training
    assert net.region.is_single
    net.eval()
    supernet.eval()
    with torch.no_grad():
        assert torch.equal(net(images()), supernet(images(), arch))
    supernet.train()


def test_weights_saved_by_torch_are_read(supernet: RegionNet, tmp_path: Path) -> None:
    path = tmp_path / "supernet.pt"
    torch.save(supernet.state_dict(), path)
    own = supernet.subnet(MIXED).state_dict()
    net = SubnetsOf(str(path), SMALL)(MIXED, 7)
    assert all(torch.equal(tensor, own[name]) for name, tensor in net.state_dict().items())


def test_a_checkpoint_of_a_supernets_training_is_read_with_its_region(tmp_path: Path) -> None:
    region = SPACE.region.without(1, OTHER.genes[1])
    torch.manual_seed(0)
    module = SupernetModule(build_supernet(region, 10, 4, 1))
    trainer = short_trainer([], steps=1, accelerator="cpu")
    with quiet_lightning():
        trainer.fit(module, torch.utils.data.DataLoader([(images(), torch.arange(4))], batch_size=None))
    trainer.save_checkpoint(tmp_path / "part.ckpt")
    factory = SubnetsOf(tmp_path / "part.ckpt", SMALL)
    own = module.net.subnet(MIXED).state_dict()
    net = factory(MIXED, 10)
    assert net.region == Region.of(MIXED)
    assert all(torch.equal(tensor, own[name]) for name, tensor in net.state_dict().items())
    with pytest.raises(UsageError, match=f"expected an arch of the network's region of nats_topology, got '{OTHER}'"):
        factory(OTHER, 10)
    with pytest.raises(UsageError, match="expected a supernet of nats_size, got 'one of nats_topology'"):
        factory(Arch("nats_size", (0,) * 5), 10)


def test_what_becomes_of_a_net_changes_no_other(weights: Path) -> None:
    factory = SubnetsOf(weights, SMALL)
    before = {name: tensor.clone() for name, tensor in factory(MIXED, 7).state_dict().items()}
    spoilt = factory(MIXED, 7)
    with torch.no_grad():
        for weight in spoilt.parameters():
            weight.fill_(1e6)
    spoilt(images())
    after = factory(MIXED, 7)
    assert all(torch.equal(tensor, before[name]) for name, tensor in after.state_dict().items())
    assert all(weight.requires_grad and weight.grad is None for weight in after.parameters())


def test_random_numbers_are_left_as_found(weights: Path) -> None:
    factory = SubnetsOf(weights, SMALL)
    states = []
    for _ in range(3):
        states.append((torch.get_rng_state(), np.random.get_state()[2]))  # noqa: NPY002
        factory(MIXED, 7)
    assert all(torch.equal(state, states[0][0]) and place == states[0][1] for state, place in states)


def test_the_file_is_read_once(weights: Path) -> None:
    factory = SubnetsOf(weights, SMALL)
    factory(MIXED, 7)
    weights.unlink()
    assert factory(OTHER, 7).region.is_single


def test_it_is_sent_to_other_processes_without_the_weights(weights: Path) -> None:
    factory = SubnetsOf(weights, SMALL)
    net = factory(MIXED, 7)
    sent = pickle.dumps(factory)
    assert len(sent) < 2000
    twin = pickle.loads(sent)(MIXED, 7)
    assert all(torch.equal(a, b) for a, b in zip(net.state_dict().values(), twin.state_dict().values(), strict=True))


def test_a_slice_of_weights_does_not_take_the_supernet_along(tmp_path: Path) -> None:
    path = tmp_path / "size.safetensors"
    torch.manual_seed(0)
    supernet = build_supernet(NatsSizeSpace(), 10, 16)
    safetensors.torch.save_file({k: v.contiguous() for k, v in supernet.state_dict().items()}, path)
    net = SubnetsOf(path, NetBuilder(channels=16, affine=False))(Arch("nats_size", (0,) * 5), 10)
    assert all(weight.untyped_storage().nbytes() == weight.nbytes for weight in net.parameters())
    whole = dict(supernet.named_parameters())
    for name, weight in net.named_parameters():
        leading = whole[name][tuple(slice(size) for size in weight.shape)]
        assert torch.equal(weight, leading)


def test_protocols_hold_the_content_and_not_the_path(supernet: RegionNet, weights: Path) -> None:
    copy = weights.with_name("copy.safetensors")
    copy.write_bytes(weights.read_bytes())
    other = weights.with_name("other.safetensors")
    safetensors.torch.save_file({name: tensor * 2 for name, tensor in supernet.state_dict().items()}, other)
    one, same, another = (describe(SubnetsOf(path, SMALL)) for path in (weights, copy, other))
    assert one == same != another
    assert one["supernet"]["channels"] == 4
    assert str(weights.parent) not in str(one)
    assert SubnetsOf(weights, SMALL) == SubnetsOf(copy, SMALL) != SubnetsOf(other, SMALL)
    assert hash(SubnetsOf(weights, SMALL)) == hash(SubnetsOf(copy, SMALL))


def test_the_default_is_the_published_supernet() -> None:
    defaults = {name: parameter.default for name, parameter in inspect.signature(build_supernet).parameters.items()}
    options = {name: default for name, default in defaults.items() if name not in ("space", "num_classes")}
    assert {name: getattr(DEFAULT_SUPERNET, name) for name in options} == options


def test_it_costs_no_torch_and_reads_nothing_before_it_is_called() -> None:
    code = "import sys; from lnas.nets import SubnetsOf; SubnetsOf('nowhere'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("supernet_options", "arch", "classes", "message"),
    [
        (SMALL, MIXED, 10, "expected num_classes=7, which the file has, got 10. Take the data"),
        (NetBuilder(8, 1, affine=False), MIXED, 7, r"expected a tensor 'stem.0.weight' of shape \(8, 3, 3, 3\)"),
        (NetBuilder(4, 2, affine=False), MIXED, 7, r"expected a tensor 'blocks\.1\.edges.*, got None"),
        (NetBuilder(4, 1), MIXED, 7, r"expected a tensor 'blocks\.0\.edges.*\.2\.weight' of shape \(4,\), got None"),
        (NetBuilder(4, 1, affine=False, track_running_stats=False), MIXED, 7, "expected no tensor 'blocks"),
        (NetBuilder(4, 1, affine=False, drop_path=0.2), MIXED, 7, "expected no 'drop_path' for a supernet, got 0.2"),
        (NetBuilder(4, 1, affine=False, auxiliary=True), MIXED, 7, "expected no 'auxiliary' for a supernet, got True"),
        (
            NetBuilder(4, affine=False),
            Arch("nats_size", (0,) * 5),
            7,
            r"expected a tensor 'stem\.layers\.0\.conv\.weight'",
        ),
        (SMALL, Arch("nats_topolgy", (0,)), 7, "unknown space 'nats_topolgy'. Did you mean 'nats_topology'"),
        (SMALL, Arch("nats_topology", (0, 9, 0, 0, 0, 0)), 7, "expected an arch of the network's region"),
        (SMALL, "|none~0|", 7, "expected an Arch, got"),
    ],
)
def test_what_does_not_fit_the_weights_is_named(
    weights: Path, supernet_options: NetBuilder, arch: Arch, classes: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        SubnetsOf(weights, supernet_options)(arch, classes)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    factory = SubnetsOf(tmp_path / "none.safetensors")
    for ask in (lambda: factory(MIXED, 10), lambda: describe(factory)):
        with pytest.raises(
            UsageError, match=r"none\.safetensors': expected a file that can be read, got 'No such file"
        ):
            ask()


@pytest.mark.parametrize("name", ["bad.safetensors", "bad.pt"])
def test_a_file_of_something_else_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"no tensors at all")
    with pytest.raises(UsageError, match="expected a file of tensors by name"):
        SubnetsOf(path)(MIXED, 10)


@pytest.mark.parametrize("value", [[1, 2], {"state_dict": {"a": torch.zeros(1)}}, torch.zeros(3)])
def test_a_file_of_other_values_is_named(tmp_path: Path, value: object) -> None:
    path = tmp_path / "bad.pt"
    torch.save(value, path)
    with pytest.raises(UsageError, match=r"expected a file of tensors by name, got '(list|dict|Tensor)'"):
        SubnetsOf(path)(MIXED, 10)


class Malicious:
    def __reduce__(self) -> tuple:
        return (Path.touch, (Path("ran-code"),))


def test_no_code_is_run_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"a": Malicious()}, tmp_path / "bad.pt")
    with pytest.raises(UsageError, match="got 'UnpicklingError'"):
        SubnetsOf(tmp_path / "bad.pt")(MIXED, 10)
    assert not Path("ran-code").exists()


def test_weights_that_change_after_the_protocol_was_written_are_refused(supernet: RegionNet, weights: Path) -> None:
    factory = SubnetsOf(weights, SMALL)
    describe(factory)
    safetensors.torch.save_file({name: tensor * 2 for name, tensor in supernet.state_dict().items()}, weights)
    with pytest.raises(UsageError, match="as when it was first read"):
        factory(MIXED, 7)
