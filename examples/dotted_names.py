"""Parameters named like Hydra's overrides (`optimizer.lr`), for a program with a nested configuration."""

from collections.abc import Mapping
from typing import Any

import wandb
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from carbs import CategoricalSpace, LogitSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, create_sweep

PROJECT = "carbs-examples"
DEFAULTS = {
    "optimizer": {"lr": 0.01, "momentum": 0.9},
    "model": {"hidden": 32, "activation": "relu"},
    "trainer": {"epochs": 5, "batch_size": 32},
}
PARAMS = [
    Param("optimizer.lr", LogSpace(min=1e-4, max=1.0), search_center=DEFAULTS["optimizer"]["lr"]),
    Param("optimizer.momentum", LogitSpace(min=0.5, max=0.99), search_center=0.9),
    Param("model.hidden", LogSpace(min=8, max=256, is_integer=True), search_center=32),
    Param("model.activation", CategoricalSpace(["relu", "tanh"]), search_center="relu"),
    Param("trainer.epochs", LogSpace(min=1, max=50, is_integer=True), search_center=5),
]


def override(defaults: Mapping[str, Any], suggestion: Mapping[str, Any]) -> dict[str, Any]:
    """Set `suggestion["optimizer.lr"]` as `["optimizer"]["lr"]`; OmegaConf.update(cfg, name, value) does the same."""
    config = {section: dict(values) for section, values in defaults.items()}
    for param in PARAMS:
        section, key = param.name.split(".")
        config[section][key] = suggestion[param.name]
    return config


def fit(config: Mapping[str, Any]) -> float:
    images, labels = load_digits(return_X_y=True)
    train_x, test_x, train_y, test_y = train_test_split(images / 16, labels, random_state=0)
    optimizer, model, trainer = config["optimizer"], config["model"], config["trainer"]
    network = MLPClassifier((model["hidden"],), model["activation"], solver="sgd", batch_size=trainer["batch_size"])
    network.set_params(learning_rate_init=optimizer["lr"], momentum=optimizer["momentum"])
    for _ in range(trainer["epochs"]):
        network.partial_fit(train_x, train_y, classes=range(10))
    return float(network.score(test_x, test_y))


def train() -> None:
    with WandbCarbs.from_sweep(wandb.init(), raise_errors=False) as trial:
        acc = fit(override(DEFAULTS, trial.suggest()))
        trial.record_observation(acc)
    wandb.finish()


if __name__ == "__main__":
    sweep_id = create_sweep("Dotted names", None, PROJECT, PARAMS)
    wandb.agent(sweep_id, function=train, project=PROJECT, count=10)
