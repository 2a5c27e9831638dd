"""Pow2WandbCarbs: parameters searched by their exponent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from carbs import CARBS
from wandb_carbs.agent.wandb_carbs import WandbCarbs


class Pow2WandbCarbs(WandbCarbs):
    """Search some parameters by the exponent and give the run the power of two.

    `carbs.Pow2Space` does the same within the optimizer; this is for programs that declare the exponents.

    Args:
        carbs: The optimizer; its parameters named in `pow2_params` are exponents.
        pow2_params: Names of parameters that the run gets as powers of two.
        wandb_run: The run; None for `wandb.run`.
        options: As for `WandbCarbs`.

    Raises:
        WandbCarbsError: As `WandbCarbs`.
        WandbConnectionError: If W&B cannot be reached.
    """

    def __init__(self, carbs: CARBS, pow2_params: Iterable[str] | None, wandb_run: Any = None, **options: Any) -> None:
        self.pow2_params = set(pow2_params or ())
        super().__init__(carbs, wandb_run, **options)

    def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
        return {key: 2**value if key in self.pow2_params else value for key, value in suggestion.items()}

    def _suggestion_from_run(self, run: Any) -> dict[str, Any]:
        suggestion = super()._suggestion_from_run(run)
        for name in self.pow2_params & suggestion.keys():
            exponent = math.log2(suggestion[name])
            suggestion[name] = round(exponent) if exponent == round(exponent) else exponent
        return suggestion
