"""The Trainer of Hugging Face's transformers. Needs transformers, accelerate, torch and scikit-learn."""

from typing import Any

import torch
import transformers as hf
import wandb
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from carbs import LogSpace, Param, Pow2Space
from wandb_carbs import WandbCarbs, create_sweep

PROJECT = "carbs-examples"
PARAMS = [
    Param("learning_rate", LogSpace(min=1e-5, max=1e-1), search_center=2e-3),
    Param("layers", LogSpace(min=1, max=8, is_integer=True), search_center=1),
    Param("hidden_size", Pow2Space(min=16, max=256), search_center=32),
    Param("epochs", LogSpace(min=1, max=50, is_integer=True), search_center=3),
]


def read_digits() -> tuple[list[dict[str, torch.Tensor]], list[dict[str, torch.Tensor]]]:
    images, labels = load_digits(return_X_y=True)
    pixels = torch.tensor(images / 16, dtype=torch.float32).reshape(-1, 1, 8, 8)
    rows = [{"pixel_values": x, "labels": y} for x, y in zip(pixels, torch.tensor(labels), strict=True)]
    train_rows, test_rows = train_test_split(rows, random_state=0)
    return train_rows, test_rows


def accuracy(prediction: hf.EvalPrediction) -> dict[str, float]:
    return {"accuracy": float((prediction.predictions.argmax(-1) == prediction.label_ids).mean())}


class Report(hf.TrainerCallback):
    def __init__(self, trial: WandbCarbs) -> None:
        self.trial = trial

    def on_evaluate(self, _: Any, state: hf.TrainerState, control: hf.TrainerControl, **known: Any) -> None:
        self.trial.report(known["metrics"]["eval_accuracy"], progress=state.epoch)
        control.should_training_stop |= self.trial.should_stop()


def train() -> None:
    train_rows, test_rows = read_digits()
    with wandb.init() as run, WandbCarbs.from_sweep(run, raise_errors=False) as trial:
        config = trial.suggest()
        size = config["hidden_size"]
        shape = {"hidden_size": size, "intermediate_size": 4 * size, "num_hidden_layers": config["layers"]}
        vit = hf.ViTConfig(image_size=8, patch_size=2, num_channels=1, num_attention_heads=4, num_labels=10, **shape)
        model = hf.ViTForImageClassification(vit)
        arguments = hf.TrainingArguments(
            output_dir=run.dir,
            learning_rate=config["learning_rate"],
            num_train_epochs=config["epochs"],
            per_device_train_batch_size=32,
            lr_scheduler_type="constant",  # so that an evaluation on the way is that of a run of fewer epochs, too
            eval_strategy="epoch",
            save_strategy="no",
            report_to="wandb",  # logs into the run that wandb.init has opened
        )
        data = {"train_dataset": train_rows, "eval_dataset": test_rows}
        trainer = hf.Trainer(model, arguments, compute_metrics=accuracy, callbacks=[Report(trial)], **data)
        trainer.train()
        trial.record_observation(trainer.evaluate()["eval_accuracy"])


if __name__ == "__main__":
    sweep_id = create_sweep("Hugging Face", None, PROJECT, PARAMS, progress="epochs")
    wandb.agent(sweep_id, function=train, project=PROJECT, count=10)
