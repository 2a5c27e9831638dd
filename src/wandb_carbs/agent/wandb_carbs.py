"""WandbCarbs: one suggestion for one run of a W&B sweep."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import wandb

from carbs import CARBS, ParamDict
from carbs.errors import raise_problems
from carbs.spaces.values import SUGGESTION_ID_KEY
from carbs.values import is_dictionary
from wandb_carbs.agent import own_run
from wandb_carbs.agent.arguments import marks_of
from wandb_carbs.agent.curve import earlier_points
from wandb_carbs.agent.early_stop import EarlyStop
from wandb_carbs.agent.forks import spare_forks
from wandb_carbs.agent.guard import SuggestionGuard
from wandb_carbs.agent.legacy import LegacyNames
from wandb_carbs.agent.publisher import RunPublisher
from wandb_carbs.agent.ran import run_instead
from wandb_carbs.agent.ranks import check_rank
from wandb_carbs.agent.recorder import RunRecorder
from wandb_carbs.agent.reported_curve import ReportedCurve
from wandb_carbs.agent.suggestion import SuggestionTaker, Translation
from wandb_carbs.errors import WandbCarbsError, WandbConnectionError
from wandb_carbs.record import STALE_SECONDS
from wandb_carbs.retry import RETRY_SECONDS, is_transient
from wandb_carbs.sweep.definition import load_definition
from wandb_carbs.sweep.path import SweepPath
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.rules import load_rule
from wandb_carbs.sweep.runs import RunReader

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger("wandb_carbs")


class WandbCarbs(LegacyNames):
    """Take a suggestion for the current run, put it into the run's configuration, and record how it went.

    By the time it is constructed, the suggestion is in `wandb.config`, and every other agent can see it. Use it as a
    context manager to have exceptions recorded as failures, and interruptions as abandoned.

    Examples:
        >>> import wandb
        >>> from carbs import LogSpace, Param
        >>> from wandb_carbs import WandbCarbs, create_sweep
        >>> params = [Param("learning_rate", LogSpace(min=1e-5, max=1e-1), search_center=1e-3)]
        >>> sweep_id = create_sweep("my sweep", None, "my-project", params)
        >>> def train():
        ...     with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:
        ...         accuracy = 1 - run.config["learning_rate"]  # your training
        ...         trial.record_observation(objective=accuracy)
        >>> wandb.agent(sweep_id, function=train, project="my-project", count=1)

    Subclasses may override `_transform_suggestion` (from the search space to the run's configuration) and
    `_suggestion_from_run` (back); `self._carbs`, `self._wandb_run` and `self._sweep_id` are theirs to use.

    A SIGTERM records the run as abandoned before the process ends. A run that is started again with the same id takes
    up its own suggestion.

    Args:
        carbs: The optimizer; it learns of the sweep's runs.
        wandb_run: The run; None for `wandb.run`.
        sweep_id: The run's sweep; it need not be given.
        any_rank: Whether ranks other than 0 of a distributed job may ask: only if each is a run of its own.
        raise_errors: Whether the context manager lets exceptions through. If not, an exception of the training code
            is logged, the run is finished as failed, and the program goes on after the block: `wandb.agent` in
            function mode gives up after three functions that raised within its first minute.
        refuse_arguments: Whether arguments of the program, or what it writes into `wandb.config`, may set no searched
            parameter to another value than the suggestion, and the run may not have logged with another one. If not,
            there is a `DrawnArgumentsWarning`, a `RefusedChangeWarning` or a `LateSuggestionWarning`, and the run's
            record is marked.
        progress: The hyperparameter whose values a run passes through on its way; see `report`. `from_sweep` takes it
            from the sweep's definition.
        stale_seconds: A run not heard of for longer is gone, and its suggestion free.
        retry_seconds: How long to try to reach W&B again before giving up.

    Raises:
        WandbCarbsError: If there is no run, it is in no sweep or in another project than its sweep, this is not the
            job's first rank, or the arguments are refused; the run is then recorded as abandoned.
        WandbConnectionError: If W&B cannot be reached.
    """

    def __init__(
        self,
        carbs: CARBS,
        wandb_run: Any = None,
        sweep_id: str | None = None,
        *,
        any_rank: bool = False,
        raise_errors: bool = True,
        refuse_arguments: bool = False,
        progress: str | None = None,
        stale_seconds: float = STALE_SECONDS,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        if not any_rank:
            check_rank()
        if not isinstance(carbs, CARBS):
            raise WandbCarbsError(f"carbs={carbs!r} must be a CARBS; write WandbCarbs(carbs=CARBS(params=…))")
        own_run.check_names(carbs.space.names)
        if progress is not None:
            raise_problems("progress", Progress(progress).problems(carbs.params, None))
        spare_forks()
        self._carbs = carbs
        run = own_run.check_run(wandb_run if wandb_run is not None else wandb.run)
        self._wandb_run = run
        self._sweep_id = own_run.check_sweep(run, sweep_id)
        self._raise_errors = raise_errors
        before = own_run.logged_with(run)
        reader = RunReader(SweepPath(run.entity, run.project, self._sweep_id), retry_seconds)
        taker = SuggestionTaker(
            carbs,
            reader,
            run.id,
            translation=self._translation,
            progress=progress,
            stale_seconds=stale_seconds,
            marks=partial(marks_of, before),
        )
        own = taker.read()
        publisher = RunPublisher(own, reader, run, retry_seconds)
        self._recorder = RunRecorder(publisher)
        try:
            self._taken = taker.take(own, self._recorder)
        except BaseException:
            self._recorder.unwatch()
            raise
        self._early_stop: EarlyStop | None = None
        if progress is not None:
            space = carbs.space.spaces[carbs.space.names.index(progress)]
            points = earlier_points(own)
            curve = ReportedCurve(publisher, progress, space, self._taken.point, points)
            self._recorder.curve = curve
            self._early_stop = EarlyStop(carbs, run.id, self._taken.point, progress, curve)
        self._counts = taker.counts
        self._guard = SuggestionGuard(run.config, self._taken.values, self._recorder, refuses=refuse_arguments)
        self._guard.check_start(before)
        self._guard.watch()

    @classmethod
    def from_sweep(
        cls, run: Any = None, *, is_valid: Callable[[ParamDict], bool] | None = None, **options: Any
    ) -> Self:
        """Build the optimizer from the definition that `create_sweep` left in the run's sweep.

        Args:
            run: The run; None for `wandb.run`.
            is_valid: A rule for whole configurations, as for `CARBS`; it must be the same in every run. By default the
                one that the definition names, loaded from the program's folder.
            options: As for the constructor.

        Raises:
            CarbsError: If there is no run, its sweep was not created by `create_sweep`, or the rule cannot be loaded.
            WandbConnectionError: If W&B cannot be reached.
        """
        if not options.get("any_rank"):
            check_rank()
        run = own_run.check_run(run if run is not None else wandb.run)
        path = SweepPath(run.entity, run.project, own_run.check_sweep(run, options.get("sweep_id")))
        try:
            definition = load_definition(str(path), limit=options.get("retry_seconds", RETRY_SECONDS))
        except WandbConnectionError as error:
            if is_transient(error):
                raise
            raise own_run.wrong_project(run.id, path, error) from error
        if is_valid is None and definition.is_valid:
            is_valid = load_rule(definition.is_valid, Path(sys.argv[0] if sys.argv else "").parent)
        if definition.progress is not None:  # left out otherwise: a subclass may not know it
            options.setdefault("progress", definition.progress_parameter)
        return cls(definition.optimizer(is_valid=is_valid), wandb_run=run, **options)

    def suggest(self) -> dict[str, Any]:
        """Return the run's configuration as a plain dict of its own; the run's id is under "suggestion_uuid"."""
        return {**deepcopy(self._taken.values), SUGGESTION_ID_KEY: self._wandb_run.id}

    def report(self, objective: float, progress: float, cost: float | None = None) -> None:
        """Report a point on the run's way, in the loop of the training: the search learns from it as from a short run.

        It goes out with the outcome, whatever that is; if the process is killed, most points are in W&B already. One
        after `record_observation` goes out only with another observation; there is a warning. Only
        values of the hyperparameter before the run's own are learnt, and of many points eight; all others may be
        reported as well.

        Args:
            objective: The objective so far. One that is not finite is left out, with a warning.
            progress: How far the run is: the value of the sweep's `progress`, such as the epochs that are done.
            cost: The run's cost so far, as for `record_observation`: give both, or neither. A point that costs less
                than one before it is left out, with a warning.

        Raises:
            CarbsError: If an argument is invalid, or the sweep's definition has no `progress`.
        """
        self._recorder.point(objective, progress, cost)

    def should_stop(self) -> bool:
        """Return whether the run should end here, as it will hardly improve the frontier any more; ask after `report`.

        Then leave the loop and record the observation as always. It counts as that of a run of the progress that was
        reported last, which is its value in `wandb.config` from then on. A run that goes on all the same has to report
        its end, or it counts as that, too. The models judge by what was known when the run took its suggestion, without
        a request to W&B, and anew when the run is a hundredth further; see `CARBS.judge`. Where the last report was no
        point to learn from, the run goes on.

        Raises:
            WandbCarbsError: If the sweep's definition has no `progress`.
        """
        self._recorder.needed_curve()
        return self._early_stop is not None and self._early_stop.is_advised()

    def record_observation(
        self,
        objective: float,
        cost: float | None = None,
        allow_update: bool = False,
        *,
        ran: Mapping[str, Any] | None = None,
    ) -> None:
        """Record how the run went; others can see it when this returns.

        Args:
            objective: The value that is optimized. If it is not finite, a failure is recorded.
            cost: The run's cost, positive; None for the seconds since the suggestion was taken up in this process.
                A run that goes on from a checkpoint should add what it had spent before.
            allow_update: Whether an observation that was recorded before may be replaced.
            ran: Searched values that were run in place of the suggestion's, by the names of the search space; the
                search learns from them.

        Raises:
            CarbsError: If an argument is invalid, `ran` is not in the search space, or there is an observation already.
            WandbConnectionError: If W&B cannot be reached. The SDK keeps what was recorded and sends it when it can.
        """
        keys: Mapping[str, Any] = {}
        if self._early_stop is not None:
            ran, keys = self._early_stop.what_ran(ran)
        if ran is None or (is_dictionary(ran) and not ran):
            self._recorder.observation(objective, cost, allow_update=allow_update)
            return
        instead = run_instead(self._carbs.space, self._taken, ran, self._translation, self._wandb_run.id)
        self._recorder.runs_to(instead.point)
        self._recorder.observation(objective, cost, allow_update=allow_update, keys={**instead.keys, **keys})
        if instead.changed and own_run.is_open(self._wandb_run):
            own_run.update_config(self._wandb_run, instead.changed)

    def record_failure(self, reason: object = "") -> None:
        """Record that the hyperparameters made the run fail, so that the search avoids their like.

        Args:
            reason: Why, e.g. "out_of_memory", or the exception; kept as text in the run's summary.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._recorder.failure(reason)

    def record_abandoned(self, reason: object = "") -> None:
        """Record that the run ended for reasons that say nothing of its hyperparameters; its place is free.

        Args:
            reason: Why, or the exception; kept as text in the run's summary.

        Raises:
            WandbConnectionError: If W&B cannot be reached.
        """
        self._recorder.abandoned(reason)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._recorder.leave(error)
        if self._raise_errors or not isinstance(error, Exception):
            return False
        logger.error("Run %s ended by an exception", self._wandb_run.name, exc_info=error)
        try:
            self._wandb_run.finish(exit_code=1)
        except Exception:
            logger.exception("Run %s could not be finished", self._wandb_run.name)
        return True

    def _transform_suggestion(self, suggestion: dict[str, Any]) -> dict[str, Any]:
        """Turn a configuration of the search space into the run's configuration; override to change it."""
        return suggestion

    def _suggestion_from_run(self, run: Any) -> dict[str, Any]:
        """Turn a run's configuration back into one of the search space; undoes `_transform_suggestion`.

        Args:
            run: The run as `wandb.Api` gives it.
        """
        names = [param.name for param in self._carbs.params]
        return {**{name: run.config[name] for name in names if name in run.config}, SUGGESTION_ID_KEY: run.id}

    @property
    def _translation(self) -> Translation:
        return Translation(self._transform_suggestion, self._suggestion_from_run)
