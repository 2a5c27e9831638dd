"""Where W&B is, whether it answers, and which sweep is meant."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import click

if TYPE_CHECKING:
    from wandb_carbs.sweep.history import SweepHistory, SweepReader
    from wandb_carbs.sweep.path import SweepPath

_TIMEOUT = 10.0
# By these an agent says to the SDK which run a program is. A command that is started from a program is not that run.
OF_A_RUN = ("WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_RUN_ID", "WANDB_RESUME")
_IS_IT_RUNNING = "Is the server running (wandb-carbs server), and is WANDB_BASE_URL its address?"
_IS_IT_MEANT = (
    "For a local server (wandb-carbs server) set WANDB_BASE_URL and WANDB_API_KEY to what it printed at its start"
)
_FORMS = "ENTITY/PROJECT/SWEEP, or the address of its page"


class SweepName(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic from click 8.5 on
    """The name or address of a sweep, refused before W&B is asked where it is neither.

    An address is checked once it is known where W&B is, which may be below a proxy's path.
    """

    name = "sweep"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Return the text, if it has one of the forms."""
        text = str(value)
        return text if "://" in text else _path(text)


sweep_argument = click.argument("sweep", metavar="SWEEP", type=SweepName())
# For commands that only read, to which the name of a project stands for its newest sweep.
sweep_or_project_argument = click.argument("sweep", metavar="SWEEP|PROJECT", type=SweepName())


def load(sweep: str) -> SweepHistory:
    """Read a sweep.

    Args:
        sweep: Its name or address, or a project for its newest one.

    Raises:
        ClickException: If W&B does not answer, `sweep` is not a name, or the project has no sweep.
        CarbsError: If it is no sweep of `create_sweep`, or cannot be read.
    """
    return open_sweep(sweep).read()


def open_sweep(sweep: str) -> SweepReader:
    """Find a sweep, to be read again and again.

    Args:
        sweep: Its name or address, or a project for its newest one.

    Raises:
        ClickException: If W&B does not answer, `sweep` is not a name, or the project has no sweep.
    """
    base_url = connect()
    path = _newest_of_project(parse_sweep(sweep, base_url))
    from wandb_carbs.sweep.history import SweepReader  # noqa: PLC0415 - imports the SDK

    return SweepReader(path)


def load_path(sweep: str, base_url: str) -> SweepPath:
    """Return where a sweep is, completed from W&B's settings.

    Args:
        sweep: Its name or address.
        base_url: Where W&B is, as `connect` returns it.

    Raises:
        ClickException: If `sweep` is on another server, or it names a project.
        CarbsError: If the project is not known.
    """
    text = parse_sweep(sweep, base_url)
    newest = _sweeps_of_project(text)
    if newest is not None:
        example = f"like {newest[0]}, its newest one" if newest else f"{text}/SWEEP; it has none yet"
        raise click.ClickException(f"{text} is a project: name one of its sweeps, {example}")
    from wandb_carbs.sweep.path import SweepPath  # noqa: PLC0415 - imports the SDK

    return SweepPath.parse(text)


def _newest_of_project(text: str) -> str:
    """Return the name of a project's newest sweep, or the text as it is where it names no project.

    Args:
        text: [ENTITY/]PROJECT, or the name of a sweep.

    Raises:
        ClickException: If the project has no sweep, or the text is neither a project nor a sweep.
    """
    newest = _sweeps_of_project(text)
    if newest is None:
        return text
    if not newest:
        raise click.ClickException(f"there are no sweeps in project {text}")
    if len(newest) > 1:
        click.echo(f"Note: the newest sweep of {text}; `wandb-carbs list {text}` shows all", err=True)
    return str(newest[0])


def _sweeps_of_project(text: str) -> list[SweepPath] | None:
    """Return the newest two sweeps of a project, or None if the text names a sweep.

    Args:
        text: [ENTITY/]PROJECT, or the name of a sweep, which may lack its entity and its project.

    Raises:
        ClickException: If it names neither.
    """
    if text.count("/") > 1:
        return None
    import wandb  # noqa: PLC0415 - slow to import

    from wandb_carbs.sweep.control import newest_sweeps  # noqa: PLC0415 - imports the SDK

    first, _, last = text.rpartition("/")
    newest = newest_sweeps(first or None, last, number=2)
    if newest is not None:
        return newest
    # PROJECT/SWEEP of the default entity, or SWEEP of the default project.
    of_default = first or wandb.setup().settings.project
    if of_default and newest_sweeps(None, of_default, number=1) is not None:
        return None
    known = f"{text!r}" if not first else f"{text!r}, and no project {first!r} of yours with a sweep {last!r}"
    raise click.ClickException(f"there is no project {known}; `wandb-carbs list` shows the sweeps that there are")


def connect() -> str:
    """Make sure that W&B answers; return its address.

    The SDK would try for minutes to reach a server that is not there.

    Raises:
        ClickException: If it does not answer.
    """
    # Before the SDK's import, since then it reads its settings.
    for name in OF_A_RUN:
        os.environ.pop(name, None)
    # The SDK's messages are for training programs.
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb  # noqa: PLC0415 - slow to import

    try:
        base_url = str(wandb.setup().settings.base_url)
    except ValueError as error:
        # After its first line, pydantic's message names the setting, then what is wrong with it.
        details = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise click.ClickException(f"W&B's settings (variables like WANDB_BASE_URL) are wrong: {details}") from error
    try:
        with urllib.request.urlopen(base_url, timeout=_TIMEOUT):  # noqa: S310 - the user's own setting
            pass
    except urllib.error.HTTPError:
        pass  # it answers, and that is all there is to know
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        words = getattr(reason, "strerror", None) or reason  # without its number
        is_set = "WANDB_BASE_URL" in os.environ
        hint = _IS_IT_RUNNING if is_set else _IS_IT_MEANT
        raise click.ClickException(f"cannot reach W&B at {base_url}: {words}. {hint}") from error
    return base_url


def parse_sweep(text: str, base_url: str) -> str:
    """Return the path of a sweep or of a project, given its path or its address.

    Args:
        text: [[ENTITY/]PROJECT/]SWEEP, ENTITY/PROJECT, or the address of the page of either.
        base_url: Where W&B is, as `connect` returns it.

    Raises:
        UsageError: If `text` is neither, or the address is not on the server in use.
    """
    if "://" not in text:
        return _path(text)
    try:
        address, base = urlsplit(text), urlsplit(base_url)
    except ValueError as error:
        raise click.UsageError(f"{text!r} is not an address: {error}; write {_FORMS}") from error
    parts, prefix = _parts(address.path), _parts(base.path)
    # W&B's own pages and its API have different addresses: wandb.ai and api.wandb.ai.
    is_there = address.netloc.removeprefix("www.") == base.netloc.removeprefix("api.")
    if not is_there or parts[: len(prefix)] != prefix:
        raise click.UsageError(
            f"the sweep is at {address.scheme}://{address.netloc}, but WANDB_BASE_URL is {base_url}; set it and "
            "WANDB_API_KEY to where the sweep is"
        )
    parts = parts[len(prefix) :]
    if len(parts) in {2, 3}:  # the third is a tab of the project's page: workspace, sweeps, …
        return "/".join(parts[:2])
    if len(parts) < 4 or parts[2] != "sweeps":
        raise click.UsageError(f"{text!r} is not the address of a sweep; write {_FORMS}")
    return f"{parts[0]}/{parts[1]}/{parts[3]}"


def _parts(path: str) -> list[str]:
    return [unquote(part) for part in path.split("/") if part]


def _path(text: str) -> str:
    """Return the path of a sweep or a project without slashes around it.

    Raises:
        UsageError: If it has another form.
    """
    parts = text.strip("/").split("/")
    if not all(parts) or len(parts) > 3:
        raise click.UsageError(f"{text!r} does not name a sweep; write {_FORMS}")
    return "/".join(parts)
