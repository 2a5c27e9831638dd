"""The report's tables, and the frontier as YAML."""

from __future__ import annotations

import html
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from carbs.insight import Insight
from carbs.spaces.values import ParamValue
from wandb_carbs.record import COST_KEY, OBJECTIVE_KEY, is_number
from wandb_carbs.report.data import ReportData
from wandb_carbs.sweep.history import JudgedRun


def runs(data: ReportData) -> str:
    """Return the table of all runs, newest first."""
    names = data.carbs.space.names
    rows = []
    for run in reversed(data.history.runs):
        summary, values = run.record.summary, run.suggestion or {}
        kind = summary.get("carbs.kind")
        rows.append(
            [
                run.record.name,
                run.verdict.standing.value,
                kind if isinstance(kind, str) else "",
                _number(summary.get(OBJECTIVE_KEY)),
                _number(summary.get(COST_KEY)),
                *(values.get(name, "") for name in names),
                run.verdict.reason,
            ]
        )
    return _table(["run", "counts as", "kind", "objective", "cost", *names, "reason"], rows)


def failures(data: ReportData, insight: Insight, failed: Sequence[JudgedRun]) -> str:
    """Return the table of failed runs with the probability of success that is believed of them today."""
    known = [run for run in failed if run.suggestion is not None]
    believed = insight.believe(insight.space.encode([run.suggestion for run in known if run.suggestion is not None]))
    rows = [
        [run.record.name, run.verdict.reason, float(success), *(run.suggestion or {}).values()]
        for run, success in zip(known, believed.success, strict=True)
    ]
    return _table(["run", "reason", "P(success) now", *data.carbs.space.names], rows)


def best_as_yaml(insight: Insight) -> str:
    """Return the frontier as a YAML list of cost, objective, number of runs and configuration, by increasing cost."""
    groups = insight.groups
    lines = []
    for index in insight.members.tolist():
        lines += [
            f"- cost: {_yaml(float(np.exp(groups.log_cost[index])), digits=6)}",
            f"  objective: {_yaml(insight.sign * float(groups.y[index]), digits=6)}",
            f"  runs: {int(groups.count[index])}",
            "  config:",
        ]
        lines += [f"    {_yaml(name)}: {_yaml(value)}" for name, value in insight.configuration(index).items()]
    return "\n".join(lines) + "\n"


def _yaml(value: ParamValue, digits: int = 17) -> str:
    """Write a scalar so that every version of YAML reads it as what it is."""
    if isinstance(value, float):
        mantissa, _, exponent = (repr(value) if digits == 17 else f"{value:.{digits}g}").partition("e")
        # YAML 1.1 takes a number without a point for text, or for a whole number.
        mantissa = mantissa if "." in mantissa else f"{mantissa}.0"
        return f"{mantissa}e{exponent}" if exponent else mantissa
    return json.dumps(value)


def _number(value: Any) -> float | str:
    return float(value) if is_number(value) else ""


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    head = "".join(f'<th scope="col"><button type="button">{html.escape(name)}</button></th>' for name in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table class="sortable"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _cell(value: Any) -> str:
    if is_number(value):
        return f'<td class="number" data-value="{value!r}">{value:.5g}</td>'
    return f"<td>{html.escape(str(value))}</td>"
