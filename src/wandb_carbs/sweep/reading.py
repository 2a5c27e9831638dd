"""How a number is read from the values that a run has logged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from carbs import CarbsError
from carbs.errors import Problem, raise_problems

LAST, BEST, MEAN = "last", "best", "mean"
# The name of a cost that is no metric: the program's seconds.
RUNTIME = "runtime"
HOW_RULE = "must be last, best, or mean of how many last points, like 'mean 10'"


@dataclass(frozen=True)
class Reading:
    """A metric of the run, and which of its values counts.

    Attributes:
        name: The metric, as the program logs it.
        how: `last` (as it stands in the run's summary), `best` of all points, or `mean` of the last ones.
        count: Of how many last points the mean is taken; 1 for the others.

    Raises:
        CarbsError: If a value is invalid; names every problem.
    """

    name: str
    how: str = LAST
    count: int = 1

    def __post_init__(self) -> None:
        problems = []
        if not isinstance(self.name, str) or not self.name.strip():
            problems.append(Problem("", "name", self.name, "must be the name of a metric that the program logs"))
        if self.how not in (LAST, BEST, MEAN):
            problems.append(Problem("", "how", self.how, HOW_RULE))
        if not isinstance(self.count, int) or isinstance(self.count, bool) or self.count < 1:
            problems.append(Problem("", "count", self.count, "must be a whole number of at least 1"))
        elif self.count > 1 and self.how != MEAN:
            problems.append(Problem("", "count", self.count, f"is for the mean, not for {self.how!r}"))
        raise_problems("invalid reading of a metric", problems)

    @classmethod
    def parse(cls, name: Any, how: Any = LAST) -> Reading:
        """Read what people write: "last", "best", "mean 10" or {"mean": 10}.

        Raises:
            CarbsError: If it is anything else.
        """
        if isinstance(how, dict) and list(how) == [MEAN]:
            return cls(name, MEAN, how[MEAN])
        match = re.fullmatch(r"mean(?:\s+of(?:\s+the)?\s+last)?\s+(\d+)", how.strip()) if isinstance(how, str) else None
        return cls(name, MEAN, int(match[1])) if match else cls(name, how.strip() if isinstance(how, str) else how)

    @property
    def words(self) -> str:
        """The reading in words: "last val_loss"."""
        return f"mean of the last {self.count} {self.name}" if self.how == MEAN else f"{self.how} {self.name}"

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON can hold it."""
        return {"name": self.name, "how": self.how, **({"count": self.count} if self.how == MEAN else {})}

    @classmethod
    def from_dict(cls, values: Any) -> Reading:
        """Read what `to_dict` returned.

        Raises:
            CarbsError: If it is anything else.
        """
        if not isinstance(values, dict) or "name" not in values:
            raise CarbsError(f"{values!r} does not say how a metric is read: name, how, count")
        return cls(values["name"], values.get("how", LAST), values.get("count", 1))
