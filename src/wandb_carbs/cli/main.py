"""The group of commands, and what all of them do with errors."""

from __future__ import annotations

import difflib
import importlib
import sys
from typing import NoReturn

import click

from wandb_carbs.exit_codes import INTERRUPTED

# Each command is in a module of its own name, which is imported only when it is run: some of them need the SDK,
# scikit-learn or matplotlib, and `--help` should answer at once.
_COMMANDS = {
    "agent": "Run a sweep's program, as it is, with suggested values.",
    "best": "Show the best configuration up to a cost.",
    "cancel": "Cancel a sweep: end its runs, too.",
    "create": "Create a sweep from a YAML file.",
    "demo": "Run a small sweep on this machine, from start to end.",
    "export": "Write a sweep's runs to a file.",
    "init": "Write a sweep file and a program to start from.",
    "list": "Show the sweeps of a project.",
    "open": "Open a sweep's page in the browser.",
    "pause": "Pause a sweep: start no new runs for now.",
    "plot": "Draw a sweep for a paper or a slide.",
    "report": "Write what a sweep has learnt as a page.",
    "resume": "Let a sweep start runs again.",
    "server": "Run a local W&B-compatible sweep server.",
    "status": "Show how a sweep is doing.",
    "stop": "Stop a sweep: start no new runs.",
    "suggest": "Show what would be run next.",
}
# They differ by a word, and share a module.
_IN_CONTROL = ("cancel", "pause", "resume", "stop")
# Words that people try, and the command that does it.
_OTHER_WORDS = {"ls": "list", "sweeps": "list", "sweep": "create", "run": "agent", "show": "status", "new": "init"}
# Installed with an extra: imported name to extra.
EXTRAS = {
    "anyio": "local",
    "graphql": "local",
    "h11": "local",
    "jinja2": "report",
    "markupsafe": "report",
    "matplotlib": "plot",
    "plotly": "report",
    "pyarrow": "parquet",
    "re2": "local",
    "sklearn": "demo",
    "starlette": "local",
    "uvicorn": "local",
}


class _LazyGroup(click.Group):
    """A group that imports a command's module when the command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        name = "control" if cmd_name in _IN_CONTROL else cmd_name
        module = importlib.import_module(f"wandb_carbs.cli.commands.{name}")
        command: click.Command = module.commands[cmd_name] if cmd_name in _IN_CONTROL else module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in _COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            close = difflib.get_close_matches(args[0], [*_COMMANDS, *_OTHER_WORDS], 1)
            meant = _OTHER_WORDS.get(close[0], close[0]) if close else ""
            hint = f"; did you mean {meant!r}?" if meant else "; --help lists the commands"
            ctx.fail(f"there is no command {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wandb-carbs", prog_name="wandb-carbs")
def cli() -> None:
    """Cost-aware hyperparameter search (CARBS) with W&B sweeps.

    A SWEEP is named ENTITY/PROJECT/SWEEP or by its web address; to commands that only read, [ENTITY/]PROJECT stands for
    the newest sweep of a project. The environment variables WANDB_BASE_URL and WANDB_API_KEY say where W&B is.
    """


def main() -> NoReturn:
    """Run the command line, and end the process."""
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name="wandb-carbs"))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("interrupted", INTERRUPTED)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        _fail(f"this needs {error.name}; install it with: pip install 'wandb-carbs[{extra}]'")
    except (ValueError, OSError, RuntimeError) as error:
        if not _is_for_users(error):
            raise
        _fail(_message(error))


def _is_for_users(error: Exception) -> bool:
    """Tell errors whose message is written for users from bugs."""
    from carbs.errors import CarbsError  # noqa: PLC0415 - only needed here, and numpy comes with it

    # The others have names, not classes: to import their modules would need the extras.
    named = {"DemoError", "ServerError"} & {base.__name__ for base in type(error).__mro__}
    return isinstance(error, CarbsError | OSError) or bool(named)


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _fail(message: str, code: int = 1) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(code)
