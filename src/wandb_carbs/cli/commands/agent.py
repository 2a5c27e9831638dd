"""`wandb-carbs agent`."""

from __future__ import annotations

import os
import sys

import click

from wandb_carbs.cli.connection import OF_A_RUN, connect, load_path, sweep_argument
from wandb_carbs.cli.numbers import WholeRange

_NO_SERVER = ("offline", "disabled", "dryrun")


@click.command("agent")
@sweep_argument
@click.option("--count", type=WholeRange(min=1), help="End after so many runs (of each agent).")
@click.option(
    "--max-consecutive-failed-runs", type=WholeRange(min=1), help="End after so many failed programs in a row."
)
@click.option("--forward-signals", is_flag=True, help="Pass signals on to the program, as under SLURM.")
@click.option("--gpus", metavar="0,1,…", help="Start one agent for each GPU, with CUDA_VISIBLE_DEVICES set.")
@click.option(
    "--is-valid", metavar="MODULE:FUNCTION", default="", help="A rule for configurations, in place of the sweep's."
)
def command(
    sweep: str,
    count: int | None,
    max_consecutive_failed_runs: int | None,
    gpus: str | None,
    is_valid: str,
    *,
    forward_signals: bool,
) -> None:
    """Run a sweep's program, as it is, with suggested values.

    The program need not know of wandb-carbs: it takes its hyperparameters from its arguments or from wandb.config, and
    logs the sweep's metric. Each run is given a suggestion before the program starts. When the program has ended, the
    metric, the time it took, its exit code and the end of its output say how the run went.

    Use it in place of `wandb agent`. Ctrl-C waits for the program; a second one asks it to end, a third kills it.
    """
    environment = {name: value for name, value in os.environ.items() if name not in {*OF_A_RUN, "WANDB_SERVICE"}}
    mode = environment.get("WANDB_MODE", "").lower()
    if mode in _NO_SERVER:
        raise click.ClickException(
            f"WANDB_MODE={mode} keeps the program's metrics from W&B, where the agent reads them: unset it, or where "
            "there is no internet run the local server (wandb-carbs server)"
        )
    devices = _devices(gpus)
    base_url = connect()
    path = load_path(sweep, base_url)
    from wandb_carbs.agent.runnable_sweep import load_runnable_sweep  # noqa: PLC0415 - imports the SDK

    runnable = load_runnable_sweep(path, is_valid)
    if devices:
        from wandb_carbs.agent.gpus import run_agents  # noqa: PLC0415 - likewise

        options = [*(["--count", str(count)] if count else []), *(["--forward-signals"] if forward_signals else [])]
        options += ["--is-valid", is_valid] if is_valid else []
        if max_consecutive_failed_runs:
            options += ["--max-consecutive-failed-runs", str(max_consecutive_failed_runs)]
        sys.exit(run_agents([str(path), *options], devices, environment))
    from wandb_carbs.agent.sweep_agent import SweepAgent  # noqa: PLC0415 - likewise
    from wandb_carbs.cli.spaces import describe  # noqa: PLC0415 - imports numpy

    for note in runnable.notes:
        _say(note)
    for param in runnable.definition.params if runnable.notes else ():
        _say(f"  {param.name}: {' '.join(filter(None, describe(param)))}")

    _say(f"agent of sweep {path} at {base_url}")
    agent = SweepAgent(
        runnable,
        count=count,
        max_failed=max_consecutive_failed_runs,
        forward_signals=forward_signals,
        environment=environment,
        say=_say,
    )
    sys.exit(agent.run())


def _devices(text: str | None) -> list[str]:
    from wandb_carbs.agent.gpus import parse_gpus  # noqa: PLC0415 - only where it is asked for

    try:
        return [] if text is None else parse_gpus(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--gpus") from error


def _say(line: str) -> None:
    """Print to standard error: the program has the standard output to itself."""
    gpu = os.environ.get("CUDA_VISIBLE_DEVICES")
    click.echo(f"wandb-carbs{f' (GPU {gpu})' if gpu else ''}: {line}", err=True)
