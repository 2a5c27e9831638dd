"""The demo from start to end."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from wandb_carbs.agent.sigterm import raising
from wandb_carbs.demo import results
from wandb_carbs.demo.display import Display
from wandb_carbs.demo.problem import ENTITY, PARAMS, PROJECT, optimizer_options
from wandb_carbs.demo.processes import Agents
from wandb_carbs.record import Standing
from wandb_carbs.server import LocalServer

if TYPE_CHECKING:
    from wandb_carbs.sweep.history import SweepHistory

# Last lines of an agent's log that an error shows.
_LOG_LINES = 15


class DemoError(RuntimeError):
    """The demo could not run to its end."""


def run_demo(
    console: Console, *, runs: int, agents: int, seed: int, data_dir: Path | None = None, stay: bool = False
) -> dict[str, Any]:
    """Run the demo.

    Args:
        console: Where to show what happens.
        runs: Number of runs.
        agents: Number of agent processes.
        seed: Of the optimizer and the networks.
        data_dir: Folder to keep the server's state, the logs and the report in; None keeps only the report, in the
            working folder.
        stay: Whether the server goes on after the last run, until Ctrl-C.

    Returns:
        The runs and their frontier, as JSON can hold them.

    Raises:
        DemoError: If not all runs ended well.
        KeyboardInterrupt: If it was interrupted before its end; everything has been stopped then.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        stack.enter_context(raising(KeyboardInterrupt()))
        if data_dir is None:
            # The SDK's service may write its last log line while the folder is being removed.
            temporary = tempfile.TemporaryDirectory(prefix="wandb-carbs-demo-", ignore_cleanup_errors=True)
            folder = Path(stack.enter_context(temporary))
        else:
            folder = data_dir
        server = stack.enter_context(LocalServer(folder))
        stack.enter_context(_environment(_sdk_settings(server, folder / "sdk")))
        sweep_id = _create_sweep(runs, seed)
        address = f"{server.url}/{ENTITY}/{PROJECT}/sweeps/{sweep_id}"
        console.print(f"Sweep: {address}", soft_wrap=True)
        with Agents(min(agents, runs), [sweep_id, str(seed)], os.environ, folder / "logs") as processes:
            messages = _work(console, processes, min(agents, runs), runs)
            history = _read(f"{ENTITY}/{PROJECT}/{sweep_id}")
            _check(history, runs, messages, processes)
        suggested = {message["run"]: message for message in messages if message["event"] == "suggested"}
        at_random = [(message["objective"], message["cost"]) for message in messages if message["event"] == "random"]
        comparison = results.compare(history, at_random)
        found = results.as_json(
            history,
            address,
            {run: message["suggestion"] for run, message in suggested.items()},
            [message["suggest_seconds"] for message in suggested.values()],
            comparison,
        )
        report = (data_dir or Path.cwd()) / "report.html"
        _show(console, history, comparison, report, time.monotonic() - began)
        if stay:
            _stay(console, address)
    if data_dir is not None:
        again = f"wandb-carbs server --port {_port(address)} --data-dir {data_dir}"
        console.print(f"Look at the sweep again: {again}", soft_wrap=True)
    return found


def _work(console: Console, processes: Agents, agents: int, runs: int) -> list[dict[str, Any]]:
    """Follow the agents until all have been through the sweep and through random search, or have ended."""
    messages = []
    working = agents
    with Display(console, agents, runs) as display:
        for message in processes.messages():
            display.show(message)
            messages.append(message.body)
            working -= message.body["event"] == "compared"
            if not working:
                break
    return messages


def _read(sweep: str) -> SweepHistory:
    from wandb_carbs.sweep.history import load_sweep  # noqa: PLC0415 - imports the SDK

    return load_sweep(sweep)


def _check(history: SweepHistory, runs: int, messages: list[dict[str, Any]], processes: Agents) -> None:
    successes = history.counts[Standing.OBSERVATION.value]
    if successes == runs:
        return
    errors = [message["error"] for message in messages if message["event"] == "failed"]
    reason = f"; the first error: {errors[0]}" if errors else ""
    log = processes.log_file(1).read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    raise DemoError("\n".join([f"only {successes} of {runs} runs succeeded{reason}; agent 1 printed last:", *log]))


def _show(
    console: Console, history: SweepHistory, comparison: results.Comparison, report: Path, seconds: float
) -> None:
    """Show the frontier and the laws, and write the report."""
    from wandb_carbs.report import write_report  # noqa: PLC0415 - imports plotly, slow to import

    console.print(results.table(history))
    laws = list(results.laws(history))
    if laws:
        console.print("The best values change with the cost:", *(f"  {law}" for law in laws), sep="\n")
    write_report(history, report)
    console.print(comparison.text)
    console.print(f"{len(history.runs)} runs in {seconds:.0f} s: {results.best(history)}.")
    console.print(f"Report: {report} (open it in a browser)", soft_wrap=True)
    console.print(
        "Next: put your own model into examples/full_example.py, and start `wandb-carbs server` or log in to W&B."
    )


def _stay(console: Console, address: str) -> None:
    """Let people look at the server's pages until Ctrl-C."""
    console.print(f"The sweep's page, until you press Ctrl-C:\n{address}", soft_wrap=True)
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print("\nStopping.")


def _port(address: str) -> str:
    return address.split("/")[2].rpartition(":")[2]


def _create_sweep(runs: int, seed: int) -> str:
    from wandb_carbs import create_sweep  # noqa: PLC0415 - imports the SDK, which must first see its settings

    # The SDK prints the sweep's address by itself.
    with (
        _no_notes(),
        open(os.devnull, "w", encoding="utf-8") as nowhere,  # noqa: PTH123
        contextlib.redirect_stdout(nowhere),
    ):
        return create_sweep(
            "wandb-carbs demo",
            ENTITY,
            PROJECT,
            PARAMS,
            config=optimizer_options(seed),
            metric_name="loss",
            run_cap=runs,
        )


@contextlib.contextmanager
def _no_notes() -> Iterator[None]:
    """Keep back what is said of the search space: that the first runs may exceed the cap is of no matter here."""
    log = logging.getLogger("wandb_carbs")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _sdk_settings(server: LocalServer, folder: Path) -> dict[str, str]:
    """Point the SDK to the server, and everything that it writes into `folder`."""
    settings = {
        **server.env(),
        "WANDB_SILENT": "true",
        "WANDB_CONSOLE": "off",
        "WANDB_ERROR_REPORTING": "false",
        "WANDB_DISABLE_GIT": "true",
        "WANDB_DISABLE_CODE": "true",
    }
    for name in ("WANDB_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR", "WANDB_ARTIFACT_DIR", "TMPDIR"):
        path = folder / name.removeprefix("WANDB_").lower()
        path.mkdir(parents=True, exist_ok=True)
        settings[name] = str(path.absolute())
    return settings


@contextlib.contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Replace all of the user's own settings for the SDK, and end its service before they come back."""
    import wandb  # noqa: PLC0415 - slow to import

    before = dict(os.environ)
    for name in [name for name in before if name.startswith("WANDB_")]:
        del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        wandb.teardown()
        os.environ.clear()
        os.environ.update(before)
