"""Train a model with suggested hyperparameters.

Agents of the sweep run this program, once for each run: `wandb-carbs agent ENTITY/PROJECT/SWEEP`.
Put your own training into `train_model`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import wandb

from wandb_carbs import WandbCarbs


def train_model(config: dict[str, Any], log: Callable[[float], None]) -> float:
    """Let a small network learn a noisy curve; return its mean squared error on points that it has not seen."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-3, 3, (4000, 1))
    y = np.sin(3 * x) + config["noise"] * rng.standard_normal(x.shape)
    train, valid = np.split(rng.permutation(len(x)), [3000])

    rate, width = config["learning_rate"], config["hidden_units"]
    w, b, v = rng.standard_normal((1, width)), rng.standard_normal(width), np.zeros((width, 1))
    is_tanh = config["activation"] == "tanh"
    loss = np.inf
    for _ in range(config["epochs"]):
        for batch in np.array_split(rng.permutation(train), len(train) // config["batch_size"]):
            z = x[batch] @ w + b
            h = np.tanh(z) if is_tanh else np.maximum(z, 0)
            error = (h @ v - y[batch]) / len(batch)
            back = error @ v.T * (1 - h**2 if is_tanh else z > 0)
            v -= rate * h.T @ error
            w -= rate * x[batch].T @ back
            b -= rate * back.sum(axis=0)
        z = x[valid] @ w + b
        h = np.tanh(z) if is_tanh else np.maximum(z, 0)
        loss = float(np.mean((h @ v - y[valid]) ** 2))
        log(loss)
    return loss


def main() -> None:
    """Train once, with the run's suggestion."""
    with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
        # run.config holds the suggestion now, and the constants of sweep.yaml.
        loss = train_model(dict(run.config), lambda value: run.log({"val_loss": value}))
        trial.record_observation(loss)  # cost: the seconds since the suggestion; give your own by cost=


if __name__ == "__main__":
    main()
