import time

import wandb
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from carbs import CARBS, LinearSpace, LogSpace, Param
from wandb_carbs import WandbCarbs, create_sweep

params = [
    Param(name="learning_rate", space=LogSpace(min=1e-5, max=1e-1)),
    Param(name="batch_size", space=LinearSpace(min=16, max=128, is_integer=True)),
]
sweep_id = create_sweep(
    sweep_name="My CARBS Sweep",
    wandb_entity="your_wandb_entity",
    wandb_project="your_wandb_project",
    carbs_spaces=params,
)


def build_model(config: wandb.Config) -> MLPClassifier:
    return MLPClassifier(learning_rate_init=config["learning_rate"], batch_size=config["batch_size"])


def evaluate_model(model: MLPClassifier) -> dict[str, float]:
    images, labels = load_digits(return_X_y=True)
    train_images, test_images, train_labels, test_labels = train_test_split(images, labels, random_state=0)
    start = time.perf_counter()
    for _ in range(20):
        model.partial_fit(train_images, train_labels, classes=range(10))
    training_time = time.perf_counter() - start
    return {"accuracy": model.score(test_images, test_labels), "training_time": training_time}


def train() -> None:
    wandb.init()
    carbs = CARBS(params=params)
    wandb_carbs = WandbCarbs(carbs=carbs)
    suggestion = wandb_carbs.suggest()
    print("training with", suggestion)
    model = build_model(wandb.config)  # the suggested parameters are in wandb.config
    performance = evaluate_model(model)
    wandb_carbs.record_observation(objective=performance["accuracy"], cost=performance["training_time"])
    wandb.finish()


if __name__ == "__main__":
    wandb.agent(sweep_id, function=train, count=10)
