"""An agent of a sweep that runs programs as they are: each is given a suggestion, and recorded from outside."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from functools import partial

from wandb_carbs.agent.after_agent import command_for
from wandb_carbs.agent.command_line import passes_values
from wandb_carbs.agent.early_stop import shorter_run
from wandb_carbs.agent.endings import Endings
from wandb_carbs.agent.exceptions import text_of
from wandb_carbs.agent.hints import hints
from wandb_carbs.agent.last_words import cause_of, ending_of
from wandb_carbs.agent.orphans import settle
from wandb_carbs.agent.outcome import STOPPED, Ending, Outcome
from wandb_carbs.agent.own_names import explain
from wandb_carbs.agent.program import Program
from wandb_carbs.agent.program_run import ProgramRun
from wandb_carbs.agent.registration import EXIT, STOP, Command, Registration, SweepDeletedError
from wandb_carbs.agent.runnable_sweep import RunnableSweep
from wandb_carbs.agent.running import Running, forward, kill_delay, press
from wandb_carbs.agent.shutdown import Shutdown, Stage
from wandb_carbs.errors import RunDeletedError, WandbConnectionError
from wandb_carbs.record import COST_KEY, OBJECTIVE_KEY, REASON_KEY, STATE_KEY, SUCCESS
from wandb_carbs.retry import is_transient
from wandb_carbs.sweep.runs import RunReader

logger = logging.getLogger("wandb_carbs")

# As W&B's own agent: how often it asks.
_POLL_SECONDS = 5.0
# After so many questions in a row without an answer the user is told why the agent waits.
_QUIET_POLLS = 3
# How often to look whether a program that was asked to end has left nothing behind.
_LEAVING_SECONDS = 0.5


class SweepAgent:
    """Run programs of a sweep until there is nothing left to do.

    Args:
        sweep: The sweep.
        count: How many runs at most; None for as many as the sweep gives.
        max_failed: End after so many programs in a row that failed; None for any number.
        forward_signals: Whether signals that this process gets go to the program, too.
        environment: Variables of the programs.
        say: Shows a line to the user.
    """

    def __init__(
        self,
        sweep: RunnableSweep,
        *,
        count: int | None = None,
        max_failed: int | None = None,
        forward_signals: bool = False,
        environment: Mapping[str, str] | None = None,
        say: Callable[[str], None] = logger.info,
    ) -> None:
        self._sweep = sweep
        self._count = count
        self._environment = dict(os.environ if environment is None else environment)
        self._say = say
        self._registration = Registration(sweep.path)
        self._reader = RunReader(sweep.path)
        self._running: dict[str, Running] = {}
        self._endings = Endings(max_failed)
        self._wake = threading.Event()
        to_programs = partial(forward, self._running.values()) if forward_signals else None
        self._shutdown = Shutdown(self._wake, lambda: not self._running, to_programs, self._end_programs)
        self._is_deleted = False
        self._gave_up = False
        self._has_begun = False
        self._quiet = 0
        # Said once.
        self._hinted: set[str] = set()
        self._warned: set[str] = set()
        self._causes: set[str] = set()

    def run(self) -> int:
        """Run programs; return the exit code of this process.

        Raises:
            CarbsError: If a run cannot be started for a reason that does not pass.
            WandbConnectionError: If this process cannot register as an agent.
        """
        try:
            self._registration.register()
        except WandbConnectionError as error:
            if not is_transient(error):
                self._settle()
            raise
        if self._sweep.hint:
            self._say(self._sweep.hint)
        try:
            with self._shutdown:
                self._work()
        except KeyboardInterrupt:
            self._say(f"{self._shutdown.why}: the agent ends")
        self._settle()
        return 1 if self._gave_up else self._shutdown.exit_code

    def _work(self) -> None:
        while True:
            self._collect()
            if self._is_done():
                return
            self._take_orders()
            self._press()
            if not self._is_done():
                self._wake.wait(self._patience())
            self._wake.clear()

    def _is_done(self) -> bool:
        if self._running:
            return False
        enough = self._count is not None and self._endings.finished >= self._count
        return enough or self._is_deleted or self._gave_up or self._shutdown.stage > Stage.WORKING

    def _patience(self) -> float:
        """Return how long to wait for something to happen."""
        asked = [entry.program.asked_at for entry in self._running.values()]
        # Nothing tells when the last process of a group has ended.
        is_leaving = any(time_ is not None for time_ in asked)
        return min(_POLL_SECONDS, _LEAVING_SECONDS) if is_leaving else _POLL_SECONDS

    def _take_orders(self) -> None:
        """Say which runs this agent has, and do as it is told."""
        if self._is_deleted:
            return
        try:
            commands = self._registration.heartbeat(self._running)
        except SweepDeletedError as error:
            self._is_deleted = True
            self._say(f"{error}" + ("; its run may end" if self._running else ""))
            return
        self._quiet = 0 if commands or self._running else self._quiet + 1
        if self._quiet == _QUIET_POLLS:
            self._say("waiting for W&B to give a run; a sweep that is paused gives none")
        for command in commands:
            self._obey(command)
        for entry in self._running.values():
            entry.run.keep_alive()
            self._advise(entry)

    def _advise(self, entry: Running) -> None:
        """Stop a run that will hardly improve the frontier any more, if the sweep asks for that."""
        program = entry.program
        if program.exit_code is None and program.asked_at is None and (why := entry.run.why_stop(program.seconds)):
            self._say(f"run {entry.run.id} is stopped: it {why}")
            program.ask_to_end(STOPPED)

    def _obey(self, command: Command) -> None:
        if command.kind == EXIT:
            self._shutdown.leave()
            if not self._running:
                self._say("W&B has no more runs: the sweep is over, or has started all that it may have")
            for entry in self._running.values():
                entry.program.kill("the sweep ended")
        elif command.kind == STOP:
            if command.run_id in self._running:
                self._running[command.run_id].program.ask_to_end(STOPPED)
        elif self._shutdown.stage is Stage.WORKING and command.run_id not in self._running:
            self._start(command)

    def _start(self, command: Command) -> None:
        run = ProgramRun(self._sweep, command.run_id, self._reader, self._registration, self._warned)
        try:
            suggestion = run.begin()
            self._has_begun = True
            if self._shutdown.stage > Stage.WORKING:
                run.abandon("the agent was interrupted")
                return
            line, environment = run.command(self._environment)
        except WandbConnectionError as error:
            self._say(f"run {run.id} could not be started: {error}")
            return
        except BaseException as error:
            run.give_back(text_of(error) if isinstance(error, Exception) else "the agent was interrupted")
            raise
        self._show_settled(run.settled)
        values = " ".join(f"{name}={value}" for name, value in suggestion.point.items())
        self._say(f"run {run.id} {'goes on' if suggestion.is_resumed else 'starts'}: {values}")
        try:
            program = Program(line, environment, self._wake.set, command_for(self._sweep.path, run.id))
        except OSError as error:
            reason = f"the command {line[0]!r} cannot be run: {error.strerror}"
            run.abandon(reason)
            self._say(reason)
            self._gave_up = True
            return
        self._running[run.id] = Running(run, program)

    def _collect(self) -> None:
        """Record the runs whose programs have ended."""
        for run_id, entry in list(self._running.items()):
            code = entry.program.exit_code
            if code is None or entry.program.is_leaving(kill_delay()):
                continue
            if code != 0:
                entry.program.kill_group()
            ending = Ending(code, entry.program.last_words, entry.program.asked_why, entry.program.was_out_of_memory)
            try:
                outcome = entry.run.end(ending, entry.program.seconds)
            except RunDeletedError:
                self._say(f"run {run_id} was deleted in W&B: nothing is recorded")
                outcome = None
            except WandbConnectionError as error:
                if self._shutdown.stage < Stage.KILLING:
                    self._say(f"run {run_id} is not recorded yet, and will be tried again: {error}")
                    continue
                self._say(f"run {run_id} could not be recorded: {error}")
                outcome = None
            del self._running[run_id]
            entry.program.release()
            self._endings.finished += 1
            self._hint(entry.run, entry.program.first_words, ending.last_words)
            if outcome is not None:
                cause = self._show(run_id, outcome, ending, entry.program.seconds)
                if why := self._endings.judge(code, outcome, asked=bool(ending.asked), cause=cause):
                    self._give_up(why)

    def _settle(self) -> None:
        """Record runs that ended without their agents, unless this agent has begun a run, which does the same.

        So the last runs of a sweep that is over are recorded by anybody who starts an agent of it.
        """
        if self._has_begun or self._is_deleted or self._shutdown.why:
            return
        try:
            self._show_settled(settle(self._sweep, self._reader, self._reader.all()))
        except WandbConnectionError as error:
            logger.info("The runs cannot be read: %s", error)

    def _show_settled(self, settled: Mapping[str, Outcome]) -> None:
        for run_id, outcome in settled.items():
            self._say(f"run {run_id} had ended without its agent, and is recorded now: {outcome.keys[STATE_KEY]}")
            self._say_once(outcome.note)

    def _show(self, run_id: str, outcome: Outcome, ending: Ending, seconds: float) -> str:
        """Say how a run ended; return why its program failed, if it did."""
        keys, cause = outcome.keys, ""
        failed = ending.exit_code != 0 and not ending.asked and keys.get(REASON_KEY) != STOPPED
        how, lines = ending_of(ending.exit_code, ending.last_words)
        if keys[STATE_KEY] == SUCCESS:
            name = self._sweep.metric.name if self._sweep.metric else "objective"
            cost = "" if self._sweep.cost is None else f", {self._sweep.cost.name} {keys[COST_KEY]:.6g}"
            but = f"; then its program ended with {how}" if failed else ""
            shorter = shorter_run(keys, self._sweep.definition.progress_parameter)
            after = f"after {seconds:.0f} s" + (f", as a run of {shorter}" if shorter else "")
            self._say(f"run {run_id} succeeded {after}: {name} {keys[OBJECTIVE_KEY]:.6g}{cost}{but}")
        else:
            reason = keys.get(REASON_KEY) or "no reason is known"
            self._say(f"run {run_id} counts as {keys[STATE_KEY]} after {seconds:.0f} s: {reason}")
            if failed:
                cause = cause_of(ending.exit_code, ending.last_words, str(reason))
                if lines and cause not in self._causes:
                    self._say("\n    ".join([f"the program ended with {how}; its last words:", *lines]))
                self._causes.add(cause)
        self._say_once(outcome.advice)
        self._say_once(outcome.note)
        return cause

    def _say_once(self, hint: str) -> None:
        if hint and hint not in self._hinted:
            self._hinted.add(hint)
            self._say(hint)

    def _hint(self, run: ProgramRun, *words: str) -> None:
        """Say once what may be wrong with the program."""
        is_passed = passes_values(self._sweep.command)
        said = {hint: hint for hint in hints(words, run.id, passes_values=is_passed, num_joined=run.num_joined)}
        if run.other_values and run.suggestion is not None:  # once for the same names, whatever their values
            said[f"{sorted(run.other_values)}"] = explain(run.other_values, run.suggestion.point)
        for key, hint in said.items():
            if key not in self._hinted:
                self._hinted.add(key)
                self._say(hint)

    def _give_up(self, reason: str) -> None:
        if not self._gave_up:
            self._gave_up = True
            self._say(f"the agent stops: {reason}")

    def _press(self) -> None:
        if self._running and (news := self._shutdown.news()):
            self._say(news)
        self._end_programs()

    def _end_programs(self) -> None:
        stage = Stage.TERMINATING if self._gave_up else Stage.WORKING
        press(self._running.values(), max(self._shutdown.stage, stage), self._shutdown.why or "the agent gave up")
