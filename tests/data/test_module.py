from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from lnas.data import DigitsData, Split, proxy_subset
from lnas.data.batches import Batch
from lnas.data.module import StepDataModule

DATA = DigitsData()


@pytest.fixture(scope="module")
def proxy() -> Split:
    return proxy_subset(DATA.splits["train"], 10, 2, seed=0)


def served(module: StepDataModule, step: int) -> Batch:
    module.trainer = SimpleNamespace(global_step=step)  # type: ignore[assignment]
    return module.transfer_batch_to_device(0, torch.device("cpu"), 0)


def test_a_step_depends_on_its_number_and_the_seed_alone(proxy: Split) -> None:
    def images(seed: int, step: int) -> torch.Tensor:
        return served(StepDataModule(proxy, DATA, seed, steps=4), step)[0]

    torch.manual_seed(5)
    module = StepDataModule(proxy, DATA, 0, steps=4)
    later_first = [served(module, step)[0] for step in (2, 0)]
    assert torch.equal(later_first[0], images(0, 2))
    assert torch.equal(later_first[1], images(0, 0))
    assert not torch.equal(images(0, 0), images(0, 1))
    assert not torch.equal(images(0, 0), images(1, 0))


def test_what_the_network_draws_depends_on_the_step_too(proxy: Split) -> None:
    module = StepDataModule(proxy, DATA, 0, steps=4)
    draws = []
    for _ in range(2):
        served(module, 3)
        draws.append(torch.rand(2).tolist())
    assert draws[0] == draws[1]


def test_a_step_takes_all_images_or_a_batch_of_a_shuffled_pass(proxy: Split) -> None:
    assert len(StepDataModule(proxy, DATA, 0, steps=7).train_dataloader()) == 7
    whole = StepDataModule(proxy, DATA, 0, steps=1, augment=False)
    batches = StepDataModule(proxy, DATA, 0, steps=None, batch_size=6, augment=False)
    assert len(batches.train_dataloader()) == 3
    assert served(whole, 0)[1].tolist() == proxy.labels.tolist()
    of_a_pass = torch.cat([served(batches, step)[0] for step in range(3)])
    assert len({image.numpy().tobytes() for image in of_a_pass}) == 18
