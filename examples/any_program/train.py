"""A program that knows nothing of wandb-carbs: hyperparameters are arguments, the result is a metric."""

import argparse
import math

import wandb

parser = argparse.ArgumentParser()
parser.add_argument("--learning_rate", type=float, default=1e-3)
parser.add_argument("--width", type=int, default=32)
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()

with wandb.init(config=vars(args)) as run:
    for epoch in range(1, args.epochs + 1):
        # In place of a training: wider nets and more epochs are better, up to a point.
        loss = 1 / epoch + 1 / args.width + (math.log10(args.learning_rate) + 3) ** 2
        run.log({"val_loss": loss})
