"""Lightning's Trainer. Needs lightning and scikit-learn."""

import lightning
import torch
import wandb
from lightning.pytorch.loggers import WandbLogger
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


class Classifier(lightning.LightningModule):
    def __init__(self, hidden_units: int, learning_rate: float) -> None:
        super().__init__()
        self.learning_rate = learning_rate
        self.model = nn.Sequential(nn.Linear(64, hidden_units), nn.ReLU(), nn.Linear(hidden_units, 10))

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _index: int) -> torch.Tensor:
        return nn.functional.cross_entropy(self.model(batch[0]), batch[1])

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _index: int) -> None:
        self.log("accuracy", (self.model(batch[0]).argmax(dim=1) == batch[1]).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate)


class Report(lightning.Callback):
    def __init__(self, trial: WandbCarbs) -> None:
        self.trial = trial

    def on_validation_end(self, trainer: lightning.Trainer, _module: lightning.LightningModule) -> None:
        if not trainer.sanity_checking:  # the learning rate is constant, so this is a run of fewer epochs, too
            self.trial.report(trainer.callback_metrics["accuracy"].item(), progress=trainer.current_epoch + 1)
            trainer.should_stop |= self.trial.should_stop()


def train() -> None:
    images, labels = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels))
    train_set, test_set = random_split(data, [0.8, 0.2], generator=torch.Generator().manual_seed(0))
    with wandb.init() as run, WandbCarbs.from_sweep(run, raise_errors=False) as trial:
        config = trial.suggest()
        model = Classifier(config["hidden_units"], config["learning_rate"])
        options = {"logger": WandbLogger(experiment=run), "callbacks": [Report(trial)], "enable_checkpointing": False}
        trainer = lightning.Trainer(max_epochs=config["epochs"], **options)
        train_loader = DataLoader(train_set, batch_size=config["batch_size"], shuffle=True)
        trainer.fit(model, train_loader, DataLoader(test_set, batch_size=len(test_set)))
        trial.record_observation(trainer.callback_metrics["accuracy"].item())


if __name__ == "__main__":
    sweep_id = create_sweep("Lightning", None, PROJECT, PARAMS, progress="epochs")
    wandb.agent(sweep_id, function=train, project=PROJECT, count=10)
