"""A sweep as an agent needs it: what is searched, what is run, and what is read of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbs import ParamDict
from wandb_carbs import metrics
from wandb_carbs.agent.command_line import (
    DEFAULT_COMMAND,
    INTERPRETERS,
    check_command,
    hint_of_parts,
    hint_of_start,
    passes_booleans_as_text,
    passes_none_as_text,
    passes_values,
    remedy_of,
)
from wandb_carbs.agent.hints import hint_of_bool, hint_of_nested, hint_of_none, hint_of_source
from wandb_carbs.agent.outcome import Values
from wandb_carbs.agent.program_values import check_parameters
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.record import COPY_KEY, INTERNAL_KEY, KEY_PREFIX, OBJECTIVE_KEY, RunRecord
from wandb_carbs.sweep.definition import SweepDefinition, definition_of
from wandb_carbs.sweep.distributions import walk
from wandb_carbs.sweep.logged import read_number
from wandb_carbs.sweep.path import SweepPath, read_sweep
from wandb_carbs.sweep.reading import Reading
from wandb_carbs.sweep.rules import load_rule


@dataclass(frozen=True)
class RunnableSweep:
    """A sweep whose runs this process can start.

    Attributes:
        path: Where it is.
        definition: What it searches.
        command: The command, with its macros.
        program: The program; None if the command does not need one.
        parameters: The parameters in W&B's configuration of the sweep.
        metric: How a run's objective is read; None if the programs record it themselves.
        cost: How a run's cost is read; None for the program's seconds.
        is_valid: The rule for whole configurations, or None.
        notes: Sentences for the user, if the sweep is one of W&B's own: how it was understood.
        hint: What may be wrong with the program; empty for nothing.
    """

    path: SweepPath
    definition: SweepDefinition
    command: tuple[str, ...]
    program: str | None
    parameters: Mapping[str, Any]
    metric: Reading | None
    cost: Reading | None
    is_valid: Callable[[ParamDict], bool] | None = None
    notes: tuple[str, ...] = ()
    hint: str = ""


def load_runnable_sweep(path: SweepPath, is_valid: str = "") -> RunnableSweep:
    """Read a sweep, and make sure that its runs can be started here.

    Args:
        path: The sweep.
        is_valid: Name of the rule for whole configurations, in place of the one that the sweep keeps.

    Raises:
        CarbsError: If they cannot be; says what to change.
        WandbConnectionError: If the sweep cannot be read.
    """
    sweep = read_sweep(path)
    configuration: Mapping[str, Any] = sweep.config if isinstance(sweep.config, Mapping) else {}
    definition, notes = definition_of(configuration)
    program = configuration.get("program")
    program = None if program is None else str(program)
    command = check_command(configuration.get("command"), program)
    if definition.passes_arguments and program and not passes_values(command):
        command = list(DEFAULT_COMMAND)
    _check_program(command, program)
    parameters = configuration.get("parameters")
    parameters = parameters if isinstance(parameters, Mapping) else {}
    check_parameters(parameters, {param.name for param in definition.params})
    rule_name = is_valid or definition.is_valid
    rule = load_rule(rule_name, Path(program or "").parent) if rule_name else None
    definition.optimizer(is_valid=rule)  # raises if they do not fit
    return RunnableSweep(
        path,
        definition,
        tuple(command),
        program,
        parameters,
        definition.metric or _metric_of(configuration),
        definition.cost,
        rule,
        notes,
        _hint_of(command, program, parameters),
    )


def values_of(sweep: RunnableSweep, record: RunRecord, seconds: float, *, is_joined: bool) -> Values:
    """Read what a run has logged.

    Args:
        sweep: Its sweep.
        record: The run, after its program has ended.
        seconds: How long its program ran.
        is_joined: Whether this start of its program shows in other ways than by the sweep's metric.

    Raises:
        WandbConnectionError: If the run's history is needed, and cannot be read.
    """
    maximize = sweep.definition.config.better_direction_sign > 0
    objective = read_number(sweep.metric, record, maximize=maximize) if sweep.metric else None
    return Values(
        # No metric of an earlier start is an objective.
        has_joined=is_joined or objective is not None,
        state=record.state,
        metric=sweep.metric.name if sweep.metric else "",
        objective=objective,
        cost=read_number(sweep.cost, record, maximize=False) if sweep.cost else seconds,
        cost_metric=sweep.cost.name if sweep.cost else "",
        logged=sorted(
            name for name, _ in metrics.flat(record.summary, is_summary=True) if not name.startswith(("_", KEY_PREFIX))
        ),
        parameters=[".".join(path) for path, _ in walk(sweep.parameters)],
        passes_values=passes_values(sweep.command),
        no_numbers=dict(_no_numbers(sweep, record.summary)),
    )


def _no_numbers(sweep: RunnableSweep, summary: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the metrics that the sweep reads, and their values in the summary, where these are not numbers."""
    for reading in filter(None, (sweep.metric, sweep.cost)):
        value = metrics.find(summary, reading.name)
        if value not in (metrics.MISSING, None) and metrics.number_of(summary, reading.name) is None:
            yield reading.name, value


def words_of_sdk(record: RunRecord) -> dict[str, Any]:
    """Return the SDK's own words in a run's configuration, where the first `wandb.init()` puts them.

    Those of newer SDKs change with each `wandb.init()` of the run; those of 0.19 may stay.
    """
    internal = record.source.rawconfig.get(INTERNAL_KEY)
    return {key: value for key, value in internal.items() if key != COPY_KEY} if isinstance(internal, Mapping) else {}


def _metric_of(configuration: Mapping[str, Any]) -> Reading | None:
    metric = configuration.get("metric")
    name = metric.get("name") if isinstance(metric, Mapping) else None
    return Reading(name) if isinstance(name, str) and name.strip() and name != OBJECTIVE_KEY else None


def _check_program(command: Iterable[str], program: str | None) -> None:
    """Refuse a script that is not here, before a run is taken for it."""
    chunks = list(command)
    if program is None or "${program}" not in chunks or not (program.endswith(".py") or " " in program):
        return
    before = chunks[: chunks.index("${program}")]
    if before and before[-1] in INTERPRETERS and not Path(program).exists():
        missing = f"the sweep's program {program!r} does not exist in {Path.cwd()}"
        raise WandbCarbsError(f"{missing}: {remedy_of(program) or 'start the agent in the folder of the program'}")


def _hint_of(command: Sequence[str], program: str | None, parameters: Mapping[str, Any]) -> str:
    if hint := hint_of_start(command) or hint_of_parts(command):
        return hint
    source = _source_of(program)
    if passes_none_as_text(command):
        paths = dict(walk(parameters))
        nested = sorted({path[0] for path in paths if len(path) > 1})
        may_be_none = [".".join(path) for path, settings in paths.items() if _may_be_none(settings)]
        texts = [path[0] for path in paths if len(path) == 1] if passes_booleans_as_text(command) else []
        return hint_of_bool(str(program), source, texts) or hint_of_nested(nested) or hint_of_none(may_be_none)
    return "" if passes_values(command) or not source else hint_of_source(str(program), source)


def _source_of(program: str | None) -> str:
    """Return the text of a program in Python; empty if it is no file that can be read."""
    if program is None or not program.endswith(".py"):
        return ""
    try:
        return Path(program).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _may_be_none(settings: Any) -> bool:
    if not isinstance(settings, Mapping):
        return False
    values = settings.get("values")
    return ("value" in settings and settings["value"] is None) or (isinstance(values, list) and None in values)
