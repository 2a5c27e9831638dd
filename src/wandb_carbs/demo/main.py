"""The demo from start to end."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from wandb_carbs.demo import results
from wandb_carbs.demo.display import Display
from wandb_carbs.demo.problem import ENTITY, PARAMS, PROJECT, optimizer_options
from wandb_carbs.demo.processes import Agents
from wandb_carbs.server import LocalServer

# Last lines of an agent's log that an error shows.
_LOG_LINES = 15


class DemoError(RuntimeError):
    """The demo could not run to its end."""


def run_demo(
    console: Console, *, runs: int, agents: int, seed: int, data_dir: Path | None = None, json_file: Path | None = None
) -> None:
    """Run the demo.

    Args:
        console: Where to show what happens.
        runs: Number of runs.
        agents: Number of agent processes.
        seed: Of the optimizer and the networks.
        data_dir: Folder to keep the server's state, the logs and the picture in; None keeps only the picture, in the
            working folder.
        json_file: File for the results.

    Raises:
        DemoError: If not all runs ended well.
        KeyboardInterrupt: If it was interrupted; everything has been stopped then.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_interrupt_on_sigterm())
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
        console.print(f"Sweep: {address}", highlight=False, soft_wrap=True)
        processes = Agents(min(agents, runs), [sweep_id, str(seed)], os.environ, folder / "logs")
        messages = _work(console, stack.enter_context(processes), min(agents, runs), runs)
        suggested = {message["run"]: message for message in messages if message["event"] == "suggested"}
        finished = results.read_runs(
            f"{ENTITY}/{PROJECT}/{sweep_id}", {run: message["suggestion"] for run, message in suggested.items()}
        )
        if json_file is not None:
            seconds = [message["suggest_seconds"] for message in suggested.values()]
            results.write_json(json_file, address, finished, seconds)
        _check(finished, runs, messages, processes)
        picture = (data_dir or Path.cwd()) / "frontier.png"
        results.draw(picture, finished)
    console.print(results.table(results.find_frontier(finished)))
    _say_goodbye(console, address, picture, data_dir, time.monotonic() - began)


def _work(console: Console, processes: Agents, agents: int, runs: int) -> list[dict[str, Any]]:
    """Follow the agents until all runs have ended or all agents have."""
    messages = []
    ended = 0
    with Display(console, agents, runs) as display:
        for message in processes.messages():
            display.show(message)
            messages.append(message.body)
            ended += message.body["event"] in {"done", "failed"}
            if ended == runs:
                break
    return messages


def _check(finished: list[results.RunResult], runs: int, messages: list[dict[str, Any]], processes: Agents) -> None:
    successes = sum(run.state == "success" for run in finished)
    if successes == runs:
        return
    errors = [message["error"] for message in messages if message["event"] == "failed"]
    reason = f"; the first error: {errors[0]}" if errors else ""
    log = processes.log_file(1).read_text().splitlines()[-_LOG_LINES:]
    raise DemoError("\n".join([f"only {successes} of {runs} runs succeeded{reason}; agent 1 printed last:", *log]))


def _say_goodbye(console: Console, address: str, picture: Path, data_dir: Path | None, seconds: float) -> None:
    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    say(f"Took {seconds:.0f} s. Picture: {picture}")
    if data_dir is None:
        say(f"The server at {address} ended with the demo; with --data-dir DIR the sweep is kept.")
    else:
        say(f"Sweep: {address}\nLook at it again: wandb-carbs server --port {_port(address)} --data-dir {data_dir}")
    say("Next: put your own model into examples/full_example.py, and start `wandb-carbs server` or log in to W&B.")


def _port(address: str) -> str:
    return address.split("/")[2].rpartition(":")[2]


def _create_sweep(runs: int, seed: int) -> str:
    from wandb_carbs import create_sweep  # noqa: PLC0415 - imports the SDK, which must first see its settings

    # The SDK prints the sweep's address by itself.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):  # noqa: PTH123
        return create_sweep("wandb-carbs demo", ENTITY, PROJECT, PARAMS, config=optimizer_options(seed), run_cap=runs)


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


@contextlib.contextmanager
def _interrupt_on_sigterm() -> Iterator[None]:
    """Let SIGTERM unwind the stack as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> NoReturn:  # noqa: ARG001
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
