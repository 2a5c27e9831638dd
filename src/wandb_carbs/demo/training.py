"""The training that the demo tunes: a small neural network learns to read handwritten digits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

CLASSES = np.arange(10)
# The loss is measured this many times while a network trains.
REPORTS = 10


@dataclass(frozen=True)
class Digits:
    """Images of digits, shape (n, 64), values 0 to 1, and their labels; three quarters are for training."""

    images: np.ndarray
    labels: np.ndarray
    validation_images: np.ndarray
    validation_labels: np.ndarray


def load_data() -> Digits:
    """Load scikit-learn's digits; they come with the library."""
    images, labels = load_digits(return_X_y=True)
    train_x, valid_x, train_y, valid_y = train_test_split(
        images / 16, labels, test_size=0.25, random_state=0, stratify=labels
    )
    return Digits(train_x, train_y, valid_x, valid_y)


def train(
    data: Digits,
    config: Mapping[str, Any],
    seed: int,
    report: Callable[[int, float], None],
    max_seconds: float = math.inf,
) -> tuple[float, float]:
    """Train a network.

    Args:
        data: The digits.
        config: The hyperparameters.
        seed: Of the initial weights and the order of the images.
        report: Called now and then with the number of epochs done and the validation loss.
        max_seconds: Training ends with the epoch in which it has taken so long.

    Returns:
        The validation loss (mean cross-entropy, in nats), and the processor's seconds of training (without those of
        validation), which other programs on the machine do not change much.
    """
    model = MLPClassifier(
        (config["hidden_units"],),
        learning_rate_init=config["learning_rate"],
        batch_size=config["batch_size"],
        alpha=0.0,
        random_state=seed,
    )
    epochs = config["epochs"]
    every = max(1, epochs // REPORTS)
    seconds = 0.0
    loss = math.nan
    for epoch in range(1, epochs + 1):
        start = time.thread_time()
        model.partial_fit(data.images, data.labels, classes=CLASSES)
        seconds += time.thread_time() - start
        is_last = epoch == epochs or seconds >= max_seconds
        if epoch % every == 0 or is_last:
            chances = model.predict_proba(data.validation_images)
            loss = float(log_loss(data.validation_labels, chances, labels=CLASSES))
            report(epoch, loss)
        if is_last:
            break
    return loss, seconds
