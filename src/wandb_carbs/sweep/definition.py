"""The search of a CARBS sweep, as it is kept in the sweep's description."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from carbs import CARBS, CarbsError, CARBSParams, ObservationInParam, Param, ParamDict, SearchSpace
from carbs.errors import refuse
from carbs.start import doubt_of_cap
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.record import OBJECTIVE_KEY
from wandb_carbs.retry import INTERACTIVE_SECONDS
from wandb_carbs.sweep import rules
from wandb_carbs.sweep.distributions import space_of
from wandb_carbs.sweep.packing import pack, unpack
from wandb_carbs.sweep.path import read_sweep
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.reading import RUNTIME, Reading

logger = logging.getLogger("wandb_carbs")

_SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SweepDefinition:
    """The search of a CARBS sweep: its space, and its options.

    Attributes:
        params: The hyperparameters.
        config: The optimizer's options.
        metric: What `wandb-carbs agent` reads as a run's objective; None for the last value of the metric that W&B's
            configuration of the sweep names.
        cost: The reading that is a run's cost; None for the program's seconds.
        passes_arguments: Whether `wandb-carbs agent` gives the program the hyperparameters as arguments, though the
            command of the sweep does not: `create_sweep` wrote that command for programs that use `WandbCarbs`.
        description: The user's own words about the sweep.
        initial: Configurations to run first.
        old_runs: Observations of earlier runs, which the search starts from.
        is_valid: Name of a rule for whole configurations, "module:function", or empty.
        progress: The hyperparameter whose values a run passes through; None where only the ends of runs count. Where
            all runs are equally long, it is a fixed one.
    """

    params: tuple[Param, ...]
    config: CARBSParams
    metric: Reading | None = None
    cost: Reading | None = None
    passes_arguments: bool = False
    description: str = ""
    initial: tuple[ParamDict, ...] = ()
    old_runs: tuple[ObservationInParam, ...] = ()
    is_valid: str = ""
    progress: Progress | None = None

    @property
    def doubt_of_cap(self) -> str:
        """A sentence where the first runs may exceed the cap on costs, or nothing; see `carbs.start`."""
        known = [*self.initial, *(run for run in self.old_runs if not run.is_failure)]
        return doubt_of_cap(SearchSpace(self.params), self.config, len(known))

    def to_json(self) -> str:
        """Return the definition as JSON, to be kept in a sweep's description."""
        described: dict[str, Any] = {
            "schema_version": _SCHEMA_VERSION,
            "params": [param.to_dict() for param in self.params],
            "config": self.config.to_dict(),
        }
        # Left out where there is nothing to say, so that every version reads such a sweep.
        described.update({key: reading.to_dict() for key, reading in self._readings() if reading is not None})
        if self.passes_arguments:
            described["passes_arguments"] = True
        if self.initial:
            described["initial"] = list(self.initial)
        if self.old_runs:
            described["old_runs"] = pack(self.old_runs)
        if self.is_valid:
            described["is_valid"] = self.is_valid
        if self.progress is not None:
            described["progress"] = self.progress.described
        words = {"description": self.description} if self.description else {}
        return json.dumps({**words, "carbs": described}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> SweepDefinition:
        """Read what `to_json` returned.

        Raises:
            CarbsError: If the text is not such a definition, or one of a later version.
        """
        try:
            whole = json.loads(text)
            described, words = whole["carbs"], whole.get("description")
            version, params, config = described["schema_version"], described["params"], described["config"]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise CarbsError(
                "the sweep's description holds no CARBS definition; create the sweep with wandb_carbs.create_sweep, "
                "or declare the parameters in the program and use WandbCarbs(carbs=CARBS(params=…))"
            ) from None
        if version != _SCHEMA_VERSION:
            raise CarbsError(
                f"the sweep's CARBS definition has schema version {version!r}, this wandb-carbs reads "
                f"{_SCHEMA_VERSION}; use the version that created the sweep"
            )
        if not isinstance(params, list) or not isinstance(config, dict):
            raise CarbsError("the sweep's CARBS definition is damaged: params must be a list, config an object")
        readings = {key: Reading.from_dict(described[key]) for key in ("metric", "cost") if key in described}
        definition = cls(
            tuple(Param.from_dict(param) for param in params),
            CARBSParams(**config),
            metric=readings.get("metric"),
            cost=readings.get("cost"),
            passes_arguments=described.get("passes_arguments") is True,
            description=words if isinstance(words, str) else "",
            initial=tuple(described.get("initial", ())),
            old_runs=unpack(described["old_runs"]) if "old_runs" in described else (),
            is_valid=_rule_in(described),
            progress=Progress.parse(described["progress"]) if "progress" in described else None,
        )
        definition._check_progress()
        CARBS(definition.config, definition.params, initial=definition.initial)  # raises if they do not fit
        return definition

    @property
    def start(self) -> str:
        """The beginning of a sentence that says from where the search starts; empty where it starts from nothing."""
        old, first = len(self.old_runs), len(self.initial)
        parts = []
        if old:
            failed = sum(run.is_failure for run in self.old_runs)
            of_them = f" ({failed} of them failed)" if failed else ""
            parts.append(f"{old} earlier run{'s' * (old != 1)}{of_them}")
        if first:
            parts.append(
                "1 configuration that is run first" if first == 1 else f"{first} configurations that are run first"
            )
        return f"started from {' and '.join(parts)}" if parts else ""

    @property
    def progress_parameter(self) -> str | None:
        """The hyperparameter whose values a run passes through; None where only the ends of runs count."""
        return None if self.progress is None else self.progress.parameter

    @property
    def is_length_fixed(self) -> bool:
        """Whether all runs are equally long, and pass through smaller values of their length."""
        return any(param.fixed is not None and param.name == self.progress_parameter for param in self.params)

    def judged_by(self, metric: str) -> tuple[str, str]:
        """Say by what a run is judged: its objective and its cost.

        Args:
            metric: The metric in W&B's configuration of the sweep.
        """
        objective = self.metric.words if self.metric else f"last {metric}"
        if metric in ("", OBJECTIVE_KEY):
            objective = "what its program records"
        return objective, self.cost.words if self.cost else RUNTIME

    def _check_progress(self) -> None:
        if self.progress_parameter not in (None, *(param.name for param in self.params)):
            raise CarbsError(
                f"the sweep's CARBS definition is damaged: progress={self.progress_parameter!r} is not among its params"
            )

    def _readings(self) -> tuple[tuple[str, Reading | None], ...]:
        return ("metric", self.metric), ("cost", self.cost)

    def optimizer(self, *, is_valid: Callable[[ParamDict], bool] | None = None) -> CARBS:
        """Return a new optimizer for this definition.

        Args:
            is_valid: The rule for whole configurations; the definition knows only its name.
        """
        carbs = CARBS(self.config, self.params, initial=self.initial, is_valid=is_valid)
        carbs.initialize_from_observations(self.old_runs)
        return carbs


@dataclass(frozen=True)
class SweepLabels:
    """How a sweep is shown to people.

    Attributes:
        name: The name that W&B shows.
        metric: The metric by which W&B's pages sort its runs.
        url: The address of its page; empty if W&B does not say.
        state: W&B's own state of it: RUNNING, PAUSED, FINISHED, …
        run_cap: How many runs it may have; None if there is no cap.
    """

    name: str = ""
    metric: str = ""
    url: str = ""
    state: str = ""
    run_cap: int | None = None

    def url_of(self, run_id: str) -> str:
        """Return the address of a run's page; empty if that of the sweep is not known."""
        project, found, _ = self.url.rpartition("/sweeps/")
        return f"{project}/runs/{run_id}" if found else ""


def definition_of(configuration: Mapping[str, Any]) -> tuple[SweepDefinition, tuple[str, ...]]:
    """Return what a sweep searches: its CARBS definition, or for a sweep of W&B's own what its parameters say.

    Args:
        configuration: The sweep's configuration.

    Returns:
        The definition, and sentences about how W&B's parameters were understood; none if there is a definition.

    Raises:
        CarbsError: If it is neither.
    """
    description = str(configuration.get("description") or "")
    if _is_definition(description):
        return SweepDefinition.from_json(description), ()
    metric = configuration.get("metric")
    missing = [key for key in ("parameters", "metric") if not isinstance(configuration.get(key), Mapping)]
    if not isinstance(metric, Mapping) or missing:
        hint = " (`metric: {name: val_loss, goal: minimize}`)" if missing == ["metric"] else ""
        raise CarbsError(
            f"the sweep holds no CARBS definition, and as one of W&B's own it lacks {' and '.join(missing)}{hint}; "
            "create it anew with `wandb-carbs create` or wandb_carbs.create_sweep, or declare the parameters in the "
            "program and use WandbCarbs(carbs=CARBS(params=…))"
        )
    space = space_of(configuration)
    # W&B minimises where a sweep does not say.
    sign = 1 if str(metric.get("goal", "")).lower().startswith("max") else -1
    goal = "maximised" if sign > 0 else "minimised"
    note = f"the sweep is one of W&B's own: {metric.get('name')!r} is {goal}, and its parameters are searched"
    return SweepDefinition(space.params, CARBSParams(better_direction_sign=sign)), (note, *space.notes)


def load_definition(sweep_path: str, *, limit: float = INTERACTIVE_SECONDS) -> SweepDefinition:
    """Read the CARBS definition of a sweep; of a sweep of W&B's own it is made from its parameters.

    Args:
        sweep_path: "entity/project/sweep", or what else `wandb.Api().sweep` accepts.
        limit: Seconds after which no new attempt to read is begun.

    Raises:
        CarbsError: If the sweep was not created by `create_sweep`, and has no parameters and metric of W&B's own.
        WandbConnectionError: If the sweep cannot be read.
    """
    return load_whole(sweep_path, limit=limit)[0]


def load_whole(
    sweep_path: str, *, limit: float = INTERACTIVE_SECONDS
) -> tuple[SweepDefinition, SweepLabels, Mapping[str, Any]]:
    """Read the definition of a sweep, how it is shown, and W&B's configuration of it; see `load_definition`."""
    sweep = read_sweep(sweep_path, limit)
    configuration = sweep.config if isinstance(sweep.config, Mapping) else {}
    try:
        definition, notes = definition_of(configuration)
    except CarbsError as error:
        raise WandbCarbsError(f"sweep {sweep_path!r}: {error}") from error
    for note in notes:
        logger.info("%s", note)
    metric, run_cap = configuration.get("metric"), configuration.get("run_cap")
    metric_name = metric.get("name") if isinstance(metric, Mapping) else None
    labels = SweepLabels(
        name=str(configuration.get("name") or ""),
        metric=str(metric_name or ""),
        url=str(sweep.url or ""),
        state=str(getattr(sweep, "state", None) or ""),
        run_cap=run_cap if isinstance(run_cap, int) else None,
    )
    return definition, labels, configuration


def _rule_in(described: Mapping[str, Any]) -> str:
    name = described.get("is_valid", "")
    if (problem := rules.problem_with(name)) is not None:
        raise refuse(problem, "the sweep's CARBS definition is damaged")
    return str(name)


def _is_definition(description: str) -> bool:
    try:
        return "carbs" in json.loads(description)
    except (ValueError, TypeError, RecursionError):
        return False
