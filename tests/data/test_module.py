from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from lnas.data import DigitsData, Split, SplitName, proxy_subset
from lnas.data.augmentation import Augmentation
from lnas.data.batches import Batch, prepare
from lnas.data.module import ImageDataModule, StepDataModule
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


def process(index: int = 0, count: int = 1, training: bool = True) -> Any:
    return SimpleNamespace(global_rank=index, world_size=count, training=training)


def epoch_of(module: ImageDataModule, epoch: int) -> Iterator[Batch]:
    loader = module.train_dataloader()
    loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
    return (module.on_after_batch_transfer(batch, 0) for batch in loader)


def test_processes_take_their_parts_of_the_same_batches() -> None:
    def labels(index: int, count: int, augmentation: Augmentation) -> list[torch.Tensor]:
        module = ImageDataModule(DATA, 60, seed=3, augmentation=augmentation)
        module.trainer = process(index, count)
        return [own for _, own in epoch_of(module, 2)]

    for augmentation in (Augmentation(), Augmentation(jitter=0.1)):
        parts = zip(*(labels(index, 3, augmentation) for index in range(3)), strict=True)
        assert [torch.cat(part).tolist() for part in parts] == [own.tolist() for own in labels(0, 1, augmentation)]


@pytest.mark.parametrize(
    "augmentation",
    [Augmentation(cutout=4, erasing=0.5), Augmentation(auto="trivial", mixup=0.4), Augmentation(scale=(0.5, 1.0))],
)
def test_an_epoch_that_is_resumed_is_the_epoch(augmentation: Augmentation) -> None:
    def images(epochs: list[int]) -> torch.Tensor:
        module = ImageDataModule(DATA, 300, seed=3, augmentation=augmentation)
        module.trainer = process()
        for epoch in epochs:
            torch.manual_seed(epoch)
            np.random.seed(epoch)  # noqa: NPY002
            served = torch.cat([images for images, _ in epoch_of(module, epoch)])
        return served

    assert torch.equal(images([0, 1]), images([1]))
    assert not torch.equal(images([0]), images([1]))


class WhiteData(DigitsData):
    """Nothing but white pixels: zeros of a padded crop would stand out."""

    def load(self) -> dict[SplitName, Split]:
        return {"train": Split(np.full((40, 3, 8, 8), 255, np.uint8), np.zeros(40, np.int64))}


def test_a_crop_at_a_random_scale_takes_the_place_of_the_padded_one() -> None:
    def values(augmentation: Augmentation) -> int:
        module = ImageDataModule(WhiteData(), 40, 0, augmentation=augmentation)
        module.trainer = process()
        return len(next(epoch_of(module, 0))[0].unique())

    assert values(Augmentation()) == 2
    assert values(Augmentation(scale=(0.5, 1.0))) == 1


def test_evaluation_is_whole_and_not_augmented_in_each_process() -> None:
    module = ImageDataModule(DATA, 64, seed=0, augmentation=Augmentation(cutout=4, mixup=1.0, jitter=0.5))
    module.trainer = process(1, 2, training=False)
    batches = [module.on_after_batch_transfer(batch, 0) for batch in module.val_dataloader()]
    split = DATA.splits["val"]
    expected, labels = prepare((torch.from_numpy(split.images), torch.from_numpy(split.labels)), DATA, augment=False)
    assert torch.equal(torch.cat([images for images, _ in batches]), expected)
    assert torch.equal(torch.cat([own for _, own in batches]), labels)


def test_what_is_held_out_may_be_trained_on_too() -> None:
    module = ImageDataModule(DATA, 1197, seed=0, augment=False, trained_on="train+val")
    _, labels = next(iter(module.train_dataloader()))
    both = np.concatenate([DATA.splits[name].labels for name in ("train", "val")])
    assert labels.bincount().tolist() == np.bincount(both).tolist()


@pytest.mark.parametrize(
    ("batch_size", "processes", "augmentation", "message"),
    [
        (64, 3, Augmentation(), "a multiple of 3 processes, got 64"),
        (42, 2, Augmentation(mixup=0.2), "an even number of images to mix, got 21"),
    ],
)
def test_batches_that_cannot_be_parted_are_refused(
    batch_size: int, processes: int, augmentation: Augmentation, message: str
) -> None:
    module = ImageDataModule(DATA, batch_size, seed=0, augmentation=augmentation)
    module.trainer = process(0, processes)
    with pytest.raises(UsageError, match=message):
        module.train_dataloader()


@pytest.mark.slow
def test_workers_serve_what_one_process_does() -> None:
    def images(workers: int) -> torch.Tensor:
        module = ImageDataModule(DATA, 64, 0, augmentation=Augmentation(auto="rand-m9-n2"), workers=workers)
        loader = module.train_dataloader()
        epochs = []
        for epoch in range(2):
            loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
            epochs += [images for images, _ in loader]
        return torch.cat(epochs)

    assert torch.equal(images(0), images(2))
