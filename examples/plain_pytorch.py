"""A plain PyTorch training loop. Needs torch and scikit-learn."""

import torch
import wandb
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from carbs import LogSpace, Param, Pow2Space
from wandb_carbs import WandbCarbs, create_sweep

PROJECT = "carbs-examples"
PARAMS = [
    Param("learning_rate", LogSpace(min=1e-4, max=1e-1), search_center=1e-3),
    Param("hidden_units", LogSpace(min=8, max=512, is_integer=True), search_center=32),
    Param("batch_size", Pow2Space(min=16, max=256), search_center=64),
    Param("epochs", LogSpace(min=1, max=50, is_integer=True), search_center=3),
]
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def fit(run: wandb.Run, trial: WandbCarbs) -> float:
    config = run.config
    images, labels = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels))
    train_set, test_set = random_split(data, [0.8, 0.2], generator=torch.Generator().manual_seed(0))
    test_images, test_labels = next(iter(DataLoader(test_set, batch_size=len(test_set))))
    model = nn.Sequential(nn.Linear(64, config["hidden_units"]), nn.ReLU(), nn.Linear(config["hidden_units"], 10))
    model.to(DEVICE)
    optimizer = torch.optim.Adam(model.parameters(), lr=config["learning_rate"])
    accuracy = 0.0
    for epoch in range(1, config["epochs"] + 1):
        for x, y in DataLoader(train_set, batch_size=config["batch_size"], shuffle=True):
            loss = nn.functional.cross_entropy(model(x.to(DEVICE)), y.to(DEVICE))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            accuracy = (model(test_images.to(DEVICE)).argmax(dim=1).cpu() == test_labels).float().mean().item()
        run.log({"epoch": epoch, "loss": loss.item(), "accuracy": accuracy})
        # The learning rate is constant: after 5 of 50 epochs this is the result of 5 epochs, which the search learns.
        trial.report(accuracy, progress=epoch)
        if trial.should_stop():
            break
    return accuracy


def train() -> None:
    # An exception, such as CUDA out of memory, is recorded as a failure, and the agent goes on with the next run.
    with wandb.init() as run, WandbCarbs.from_sweep(run, raise_errors=False) as trial:
        trial.record_observation(fit(run, trial))  # the cost: seconds since the suggestion


if __name__ == "__main__":
    sweep_id = create_sweep("PyTorch", None, PROJECT, PARAMS, progress="epochs")
    wandb.agent(sweep_id, function=train, project=PROJECT, count=10)
