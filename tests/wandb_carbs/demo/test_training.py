"""The training of the demo."""

from __future__ import annotations

import pytest

from wandb_carbs.demo import training

CONFIG = {"learning_rate": 0.01, "batch_size": 64, "hidden_units": 16, "epochs": 25}


@pytest.fixture(scope="module")
def digits() -> training.Digits:
    return training.load_data()


def test_a_quarter_of_the_digits_is_for_validation(digits: training.Digits) -> None:
    assert digits.images.shape == (1347, 64)
    assert digits.validation_images.shape == (450, 64)
    assert (digits.images.min(), digits.images.max()) == (0.0, 1.0)
    assert len(set(digits.validation_labels.tolist())) == 10


def test_loss_is_reported_on_the_way_and_at_the_end(digits: training.Digits) -> None:
    seen: list[tuple[int, float]] = []
    loss, seconds = training.train(digits, CONFIG, 0, lambda epoch, loss: seen.append((epoch, loss)))
    assert [epoch for epoch, _ in seen] == [*range(2, 25, 2), 25]
    assert seen[-1] == (25, loss)
    assert loss < 0.5 < seen[0][1]
    assert seconds > 0
    again, _ = training.train(digits, CONFIG, 0, lambda _epoch, _loss: None)
    assert again == loss


def test_training_ends_when_its_time_is_up(digits: training.Digits) -> None:
    """The loss of the epoch in which that happens counts."""
    seen: list[int] = []
    loss, seconds = training.train(digits, CONFIG, 0, lambda epoch, _: seen.append(epoch), max_seconds=1e-9)
    assert seen == [1]
    assert 0 < loss < 3
    assert seconds > 1e-9
