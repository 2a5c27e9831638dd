"""The user's rule for whole configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from carbs.errors import CarbsError, Problem, refuse
from carbs.spaces.search_space import SearchSpace
from carbs.spaces.values import ParamDict
from carbs.values import shown


@dataclass(frozen=True)
class Rule:
    """The rule `is_valid`, or that every configuration of the search space may be run.

    Attributes:
        space: The search space.
        is_valid: A function of a configuration that returns whether it may be run; None where all may.

    Raises:
        CarbsError: If it is not a function.
    """

    space: SearchSpace
    is_valid: Callable[[ParamDict], bool] | None = None

    def __post_init__(self) -> None:
        if self.is_valid is not None and not callable(self.is_valid):
            raise refuse(Problem("", "is_valid", self.is_valid, "must be a function of a configuration"))

    def obeys(self, values: Mapping[str, Any]) -> bool:
        """Say whether a configuration of the search space obeys the rule.

        Raises:
            CarbsError: If the rule itself fails.
        """
        if self.is_valid is None:
            return True
        try:
            return bool(self.is_valid(self.space.select(values)))
        except Exception as error:
            raise CarbsError(f"is_valid failed for {shown(dict(values))}: {error!r}") from error
