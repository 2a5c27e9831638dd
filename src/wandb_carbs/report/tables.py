"""The report's tables, and the frontier as YAML."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from carbs.insight import Insight
from carbs.spaces.kinds import LogitSpace, LogSpace, Pow2Space
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.values import ParamValue
from wandb_carbs.plain import is_number, number
from wandb_carbs.report.data import ReportData
from wandb_carbs.sweep.judged import JudgedRun
from wandb_carbs.sweep.rows import rows

# Texts that need no quotes in YAML, and those that some version reads as something else.
_PLAIN = re.compile(r"[A-Za-z_][\w./-]*", re.ASCII)
_NO_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "null"})


@dataclass(frozen=True)
class Cell:
    """An entry of a table.

    Attributes:
        value: A number, or a text.
        url: An address that it leads to, or empty.
    """

    value: Any
    url: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is sorted as a number."""
        return is_number(self.value)

    @property
    def text(self) -> str:
        """The entry as it is shown."""
        if self.value is None:
            return ""
        return number(self.value, 5) if isinstance(self.value, float) else str(self.value)


@dataclass(frozen=True)
class Table:
    """A table that can be sorted, filtered, and shown in part.

    Attributes:
        heads: Names of the columns.
        lines: Its lines.
    """

    heads: Sequence[str]
    lines: Sequence[Sequence[Cell]]

    def is_number(self, column: int) -> bool:
        """Tell whether a column has numbers, which stand on the right."""
        return any(line[column].is_number for line in self.lines)


def with_ends(value: float, ends: tuple[float, float]) -> str:
    """Write an exponent with its interval."""
    return f"{number(value)} ({number(ends[0])} to {number(ends[1])})"


def rate_of(space: NumericSpace, exponent: str, of: str) -> str:
    """Say what a law's `exponent` is: a power only where the space is logarithmic."""
    if isinstance(space, (LogSpace, Pow2Space)):
        return f"exponent {exponent}"
    return f"{'log10 of the odds: ' if isinstance(space, LogitSpace) else ''}{exponent} per decade of {of}"


def runs(data: ReportData) -> Table:
    """Return the table of all runs, newest first."""
    names, labels = data.carbs.space.names, data.history.labels
    lines = [
        [
            Cell(row.name, labels.url_of(row.id)),
            *map(Cell, (row.state, row.kind, row.objective, row.cost)),
            *(Cell(row.config.get(name)) for name in names),
            Cell(row.reason),
        ]
        for row in reversed(rows(data.history))
    ]
    return Table(["run", "counts as", "kind", "objective", "cost", *names, "reason"], lines)


def failures(data: ReportData, insight: Insight, failed: Sequence[JudgedRun]) -> Table:
    """Return the table of failed runs with the probability of success that the model gives them today."""
    known = [run for run in failed if run.suggestion is not None]
    believed = insight.believe(insight.space.encode([run.suggestion for run in known if run.suggestion is not None]))
    lines = [
        [
            Cell(run.record.name, data.history.labels.url_of(run.record.id)),
            Cell(run.verdict.reason),
            Cell(float(success)),
            *map(Cell, (run.suggestion or {}).values()),
        ]
        for run, success in zip(known, believed.success, strict=True)
    ]
    return Table(["run", "reason", "P(success) now", *data.carbs.space.names], lines)


def best_as_yaml(insight: Insight, constants: Mapping[str, Any]) -> str:
    """Return the frontier as a YAML list of cost, objective, number of runs and configuration, by increasing cost.

    Args:
        insight: The models.
        constants: What every run gets beside its hyperparameters.
    """
    groups = insight.groups
    lines = []
    for index in insight.members.tolist():
        lines += [
            f"- cost: {yaml_value(float(np.exp(groups.log_cost[index])), digits=6)}",
            f"  objective: {yaml_value(insight.sign * float(groups.y[index]), digits=6)}",
            f"  runs: {int(groups.count[index])}",
            "  config:",
        ]
        config = {**insight.configuration(index), **constants}
        lines += [f"    {yaml_value(name)}: {yaml_value(value)}" for name, value in config.items()]
    return "\n".join(lines) + "\n"


def yaml_value(value: ParamValue, digits: int = 17) -> str:
    """Write a value on one line so that every version of YAML reads it as what it is."""
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXT:
            return value
        # JSON's form would do, but for letters that it writes as two (emoji).
        return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=math.inf).rstrip("\n")
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{yaml_value(key)}: {yaml_value(item, digits)}' for key, item in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(yaml_value(item, digits) for item in value)}]"
    if isinstance(value, float):
        mantissa, _, exponent = (repr(value) if digits == 17 else f"{value:.{digits}g}").partition("e")
        # YAML 1.1 takes a number without a point for text, or for a whole number.
        mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
        return f"{mantissa}e{exponent}" if exponent else mantissa
    return json.dumps(value)
