"""Measuring the loss of a module leaves it as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn

from lnas.errors import UsageError
from lnas.training.callbacks import LossCallback, mean_training_loss

Make = Callable[..., pl.LightningModule]


def test_it_is_the_mean_over_batches_in_train_mode(make: Make, batches: Any) -> None:
    module = make().eval()
    outputs = [module.out(nn.functional.batch_norm(module.body[0](x), None, None, training=True)) for x, _ in batches]
    by_hand = sum(float(nn.functional.mse_loss(y, z).detach()) for y, (_, z) in zip(outputs, batches, strict=True)) / 8
    assert float(mean_training_loss(module, batches)) == pytest.approx(by_hand, rel=1e-6)


@pytest.mark.parametrize("fails", [False, True])
def test_the_module_and_the_generator_are_left_as_found(fails: bool, make: Make, batches: Any) -> None:
    module = make(dropout=0.5)
    module.body[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    if fails:
        with pytest.raises(TypeError):
            mean_training_loss(module, [batches[0], None])
    else:
        mean_training_loss(module, batches)
    assert torch.equal(torch.rand(1), expected)
    assert module.training
    assert not module.body[1].training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(weight.grad is None for weight in module.parameters())
    assert "log" not in vars(module)


def test_any_signature_and_kind_of_batch_and_output_is_taken(make: Make, batches: Any) -> None:
    plain = make()

    class Other(pl.LightningModule):
        def training_step(self, batch: Any) -> dict[str, Any]:
            return {"loss": plain.training_step((batch["x"], batch["y"]), 0), "note": 1}

    as_dicts = [{"x": x, "y": y} for x, y in batches]
    assert mean_training_loss(Other(), as_dicts) == mean_training_loss(plain, batches)


def test_a_module_that_logs_is_measured_without_logging(
    make: Make, batches: Any, fit: Callable[..., pl.Trainer]
) -> None:
    class Logging(type(make())):  # type: ignore[misc]
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            loss = super().training_step(batch, batch_idx)
            self.log("loss", loss)
            self.log_dict({"twice": 2 * loss})
            return loss

    torch.manual_seed(0)
    logging, plain = LossCallback(batches), LossCallback(batches)
    trainer = fit(Logging(), logging)
    fit(make(), plain)
    assert logging.after == plain.after
    assert float(trainer.callback_metrics["loss"]) == logging.last


def test_a_step_without_a_loss_is_refused(make: Make, batches: Any) -> None:
    module = make()
    module.training_step = lambda batch, batch_idx: {"losses": 1}
    with pytest.raises(UsageError, match="a loss of one number from training_step, got None"):
        mean_training_loss(module, batches)
