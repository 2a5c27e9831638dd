"""Simulated training runs, each of which is hard for a search in a way of its own.

A problem has `params` (what is searched), `evaluate(config) -> (objective, cost)` without noise, or None for a run that
fails, the objective to be maximised, and `noise`, the standard deviation that a benchmark adds to the objective.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from carbs import CategoricalSpace, LinearSpace, LogSpace, Param, ParamValue

Config = Mapping[str, ParamValue]


def place(param: Param, value: ParamValue) -> float:
    """Return where a value lies in a bounded numeric space, from 0 to 1."""
    space = param.space
    assert isinstance(space, (LinearSpace, LogSpace))
    if isinstance(space, LogSpace):
        return math.log(float(value) / space.min) / math.log(space.max / space.min)
    return (float(value) - space.min) / (space.max - space.min)


def learned(steps: float, half: float = 5.0) -> float:
    """Return which share of all that can be learned `steps` steps teach; a half after `half` of them."""
    return steps / (steps + half)


@dataclass(frozen=True)
class FewMatter:
    """Many hyperparameters of which three matter, and the steps, which drive the cost.

    Attributes:
        dimension: How many hyperparameters there are.
        noise: Standard deviation that a benchmark adds to the objective.
    """

    dimension: int
    noise: float = 0.01

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """The steps and the others."""
        others = (Param(f"x{i}", LinearSpace(min=0.0, max=1.0), 0.5) for i in range(self.dimension - 1))
        return (Param("steps", LogSpace(min=1, max=1000, is_integer=True), 10), *others)

    def evaluate(self, config: Config) -> tuple[float, float]:
        """Return the accuracy and the seconds."""
        steps = float(config["steps"])
        a, b, c = (float(config[f"x{i}"]) for i in (1, 4, 7))
        quality = math.exp(-8 * (a - 0.2) ** 2 - 4 * (b - 0.8) ** 2 - 4 * (c - 0.35 - 0.3 * a) ** 2)
        return quality * learned(steps), 0.1 * steps


class Plateau:
    """Nothing is learned over most of the box: the learning rate must suit the batch size, and the decay be small."""

    noise = 0.01
    params = (
        Param("steps", LogSpace(min=1, max=100, is_integer=True), 4),
        Param("learning_rate", LogSpace(min=1e-6, max=1.0), 1e-3),
        Param("batch_size", LogSpace(min=8, max=1024, is_integer=True), 64),
        Param("weight_decay", LogSpace(min=1e-6, max=1.0), 1e-3),
        Param("momentum", LinearSpace(min=0.0, max=0.99), 0.5),
        Param("dropout", LinearSpace(min=0.0, max=0.9), 0.3),
    )

    def evaluate(self, config: Config) -> tuple[float, float]:
        """Return the accuracy, a tenth where nothing is learned, and the seconds."""
        steps, rate, batch, decay, momentum, dropout = (float(config[param.name]) for param in self.params)
        rate = math.log10(rate / (1 - momentum)) - math.log10(0.05) - 0.5 * math.log10(batch / 64)
        decay = max(0.0, math.log10(decay) + 2.5)
        quality = 1 - (rate / 1.2) ** 2 - decay**2 - 0.3 * (dropout - 0.2) ** 2
        return 0.1 + 0.85 * max(quality, 0.0) * learned(steps, 3.0), 2.0 * steps * (1 + 16 / batch)


class TwoBasins:
    """Two good regions, of which the near one is the worse."""

    noise = 0.01
    params = (
        Param("steps", LogSpace(min=1, max=100, is_integer=True), 4),
        *(Param(f"x{i}", LinearSpace(min=0.0, max=1.0), 0.3) for i in range(4)),
    )

    def evaluate(self, config: Config) -> tuple[float, float]:
        """Return the accuracy and the seconds."""
        x = np.array([float(config[f"x{i}"]) for i in range(4)])
        near = 0.6 * math.exp(-6 * float(np.sum((x - 0.25) ** 2)))
        far = math.exp(-6 * float(np.sum((x - np.array([0.8, 0.75, 0.8, 0.7])) ** 2)))
        steps = float(config["steps"])
        return max(near, far) * learned(steps, 3.0), steps


class Mixed:
    """Integers and choices: each optimizer has a learning rate of its own, and depth pays only with width."""

    noise = 0.01
    rates: ClassVar = {"sgd": -1.0, "adam": -3.0, "lion": -4.0}
    params = (
        Param("epochs", LogSpace(min=1, max=64, is_integer=True), 4),
        Param("optimizer", CategoricalSpace(("sgd", "adam", "lion")), "sgd"),
        Param("learning_rate", LogSpace(min=1e-6, max=1.0), 1e-2),
        Param("activation", CategoricalSpace(("relu", "gelu", "tanh", "silu")), "relu"),
        Param("num_layers", LinearSpace(min=1, max=12, is_integer=True), 2),
        Param("width", LogSpace(min=16, max=2048, is_integer=True), 64),
        Param("is_normalised", CategoricalSpace((False, True)), False),
    )

    def evaluate(self, config: Config) -> tuple[float, float]:
        """Return the accuracy and the seconds."""
        epochs, rate, layers, width = (float(config[k]) for k in ("epochs", "learning_rate", "num_layers", "width"))
        bowl = 0.5 if config["is_normalised"] else 1.2
        distance = math.log10(rate) - self.rates[str(config["optimizer"])] + 0.3 * math.log10(width / 64)
        quality = {"sgd": 0.9, "adam": 1.0, "lion": 0.97}[str(config["optimizer"])]
        quality *= {"relu": 0.95, "gelu": 1.0, "tanh": 0.85, "silu": 0.99}[str(config["activation"])]
        quality *= math.exp(-0.5 * bowl * distance**2)
        size = layers * width**2
        best_layers = 1.5 * math.log2(width / 8)
        quality *= (1 - (size + 100) ** -0.25) * math.exp(-0.5 * ((layers - best_layers) / 6) ** 2)
        return quality * learned(epochs, 4.0), 1e-4 * epochs * (1e3 + size) ** 0.7


class Reinforcement:
    """Reinforcement learning: a sixth of the range is noise, and much of the box never learns."""

    noise = 150.0
    params = (
        Param("env_steps", LogSpace(min=1e5, max=1e8), 1e6),
        Param("learning_rate", LogSpace(min=1e-5, max=1e-1), 1e-3),
        Param("gamma_gap", LogSpace(min=1e-4, max=0.3), 0.05),
        Param("entropy", LogSpace(min=1e-5, max=0.3), 1e-2),
        Param("clip", LinearSpace(min=0.05, max=0.5), 0.2),
        Param("num_epochs", LinearSpace(min=1, max=10, is_integer=True), 4),
        Param("num_envs", LogSpace(min=8, max=4096, is_integer=True), 64),
    )

    def evaluate(self, config: Config) -> tuple[float, float]:
        """Return the return and the seconds."""
        steps, rate, gap, entropy, clip, epochs, envs = (float(config[param.name]) for param in self.params)
        quality = -((math.log10(rate) + 2.6 - 0.3 * math.log10(envs / 64)) ** 2)
        quality -= 0.7 * (math.log10(gap) + 2.2) ** 2 + 0.5 * (math.log10(entropy) + 2.4) ** 2
        quality -= 4 * (clip - 0.2) ** 2 + 0.01 * (epochs - 3) ** 2
        speed = 1 / (1 + math.exp(-3 * quality - 1.5))
        reached = 1 / (1 + math.exp(-2.0 * (math.log10(steps) - 6.8) - 4 * (speed - 0.7)))
        return 1000 * speed * reached, steps * (1 + 0.2 * epochs) / (2e4 * (envs / 64) ** 0.4)


class SixDecades:
    """A network whose cost spans six decades; the largest do not fit into memory."""

    noise = 0.02
    params = (
        Param("width", LogSpace(min=16, max=4096, is_integer=True), 64),
        Param("depth", LogSpace(min=1, max=48, is_integer=True), 3),
        Param("steps", LogSpace(min=100, max=100_000, is_integer=True), 1000),
        Param("learning_rate", LogSpace(min=1e-5, max=1e-1), 3e-3),
        Param("batch_size", LogSpace(min=4, max=512, is_integer=True), 32),
        Param("warmup", LinearSpace(min=0.0, max=0.5), 0.1),
    )

    def evaluate(self, config: Config) -> tuple[float, float] | None:
        """Return minus the loss and the seconds; None for a run that needs too much memory."""
        width, depth, steps, rate, batch, warmup = (float(config[param.name]) for param in self.params)
        if width * depth * batch > 2_000_000:
            return None
        size, tokens = width**2 * depth, steps * batch
        loss = 1.5 + 8 * size**-0.2 + 12 * tokens**-0.25
        loss += 0.3 * (math.log10(rate) + 1.6 + 0.5 * math.log10(width / 16)) ** 2
        loss += 0.2 * (math.log10(depth) - 0.4 * math.log10(width) + 0.3) ** 2 + 0.5 * (warmup - 0.05) ** 2
        return -loss, 1e-8 * (size + 1e3) * tokens**0.9 + 1e-3 * steps
