from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lnas.data import DigitsData, Split, proxy_subset
from lnas.data.batches import Batch
from lnas.data.module import StepDataModule
from lnas.errors import UsageError

DATA = DigitsData()


@pytest.fixture(scope="module")
def proxy() -> Split:
    return proxy_subset(DATA.splits["train"], 10, 2, seed=0)


def served(module: StepDataModule, step: int) -> Batch:
    module.trainer = trainer(step)
    return module.transfer_batch_to_device(0, torch.device("cpu"), 0)


def trainer(step: int, accumulated: int = 1, process: int = 0, processes: int = 1) -> Any:
    return SimpleNamespace(
        global_step=step,
        accumulate_grad_batches=accumulated,
        global_rank=process,
        world_size=processes,
        strategy=SimpleNamespace(root_device=torch.device("cpu")),
    )


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


def test_accumulated_batches_and_processes_share_one_order(proxy: Split) -> None:
    alone = StepDataModule(proxy, DATA, 0, steps=None, batch_size=4)
    numbered = [served(alone, number)[0] for number in range(8)]
    found = {}
    for process in range(2):
        module = StepDataModule(proxy, DATA, 0, steps=None, batch_size=4)
        for step in range(2):
            module.trainer = trainer(step, accumulated=2, process=process, processes=2)
            for batch in range(2):
                at = (step * 2 + batch) * 2 + process
                found[at] = module.transfer_batch_to_device(batch, torch.device("cpu"), 0)[0]
        assert len(module.train_dataloader()) == 2
    assert all(torch.equal(found[number], images) for number, images in enumerate(numbered))


def test_held_out_batches_depend_on_the_step_and_leave_the_generator_alone(proxy: Split) -> None:
    held_out = proxy_subset(DATA.splits["val"], 10, 2, seed=0)
    module = StepDataModule(proxy, DATA, 0, steps=4, batch_size=6, held_out=held_out)
    module.trainer = trainer(0)
    before = torch.get_rng_state()
    batches = [module.validation_batch(step) for step in (0, 1, 2, 0)]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(batches[0][0], batches[3][0])
    labels = torch.cat([own for _, own in batches[:3]]).bincount(minlength=10)
    assert labels.sum() == 18
    assert labels.max() <= 2
    with pytest.raises(UsageError, match="images that are held out"):
        StepDataModule(proxy, DATA, 0, steps=4).validation_batch(0)
