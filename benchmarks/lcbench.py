"""LCBench: real training runs of funnel-shaped networks on OpenML data, through YAHPO Gym's surrogate.

The data are not part of this project: name a checkout of the public `yahpo_data` repository (Apache-2.0).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from carbs import LinearSpace, LogSpace, Param, ParamValue


class LCBench:
    """One OpenML task: maximise the validation accuracy in percent; the cost is the training time in seconds."""

    noise = 0.8  # a typical spread between seeds, in percent
    progress = "epoch"  # the state after 5 of 50 epochs is the result of 5 epochs
    memory = 400_000  # of what `size` measures, for the problems in which large networks fail

    params = (
        Param("epoch", LogSpace(min=1, max=52, is_integer=True), 4),
        Param("batch_size", LogSpace(min=16, max=512, is_integer=True), 128),
        Param("learning_rate", LogSpace(min=1e-4, max=1e-1), 3e-3),
        Param("momentum", LinearSpace(min=0.1, max=0.99), 0.5),
        Param("weight_decay", LogSpace(min=1e-5, max=1e-1), 1e-3),
        Param("num_layers", LinearSpace(min=1, max=5, is_integer=True), 2),
        Param("max_units", LogSpace(min=64, max=1024, is_integer=True), 128),
        Param("max_dropout", LinearSpace(min=0.0, max=1.0), 0.5),
    )

    def __init__(self, data: Path, task: str) -> None:
        """Load the surrogate.

        Args:
            data: The folder that holds `lcbench/model.onnx`.
            task: The OpenML task's number.
        """
        import onnxruntime  # noqa: PLC0415 - only this problem needs it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(data / "lcbench" / "model.onnx"), options)
        tasks = json.loads((data / "lcbench" / "encoding.json").read_text())["OpenML_task_id"]
        self._task = np.array([[tasks[task]]], np.int32)

    def evaluate(self, config: Mapping[str, ParamValue]) -> tuple[float, float]:
        """Return accuracy and seconds."""
        x = np.array([[float(config[param.name]) for param in self.params]], np.float32)
        seconds, accuracy = self._session.run(None, {"x_cat": self._task, "x_cont": x})[0][0][:2]
        return float(accuracy), max(float(seconds), 1e-2)

    @staticmethod
    def size(config: Mapping[str, ParamValue]) -> float:
        """Return a measure of the memory that a network needs."""
        return float(config["max_units"]) * float(config["num_layers"]) * float(config["batch_size"])
