"""Hints on a program whose results may be of something else than the search believes.

They come from what the SDK said, the folders that it made, and the program's source: a program may keep the SDK silent.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from wandb_carbs.agent.changes import refused_in

# The SDK says so on standard error at every wandb.init(); the folder's name has the run's id.
_JOINED = r"Run data is saved locally in .*-{}\b"
# A run's configuration, under the names that it usually has, where it is not only written to; or our own way to a
# suggestion.
_READS_CONFIG = re.compile(
    r"(?:\b(?:wandb|run|experiment|logger)|\))\.config\b(?!\s*\.\s*(?:update|setdefaults)\s*\(|\s*=[^=])|\bWandbCarbs\b"
)


def hint_of_source(program: str, source: str) -> str:
    """Say if a program that is given no arguments does not seem to take its values from `wandb.config` either.

    `wandb.init(config=args)` and `wandb.config.update(args)` show the suggestion in W&B, and change nothing in `args`.

    Args:
        program: Its name.
        source: Its text.

    Returns:
        A sentence for the user; empty if it reads a run's configuration.
    """
    if _READS_CONFIG.search(source):
        return ""
    return (
        f"the sweep's command passes no hyperparameters, and {program} does not read wandb.config: if it trains "
        "with the values of its arguments, add ${args} to the command"
    )


def hint_of_bool(program: str, source: str, names: Collection[str]) -> str:
    """Say that argparse makes true of every text, where a program has it read a parameter of the sweep by `bool`.

    Args:
        program: Its name.
        source: Its text.
        names: The parameters that are passed to its command line as texts.

    Returns:
        A sentence for the user; empty without such an argument.
    """
    options = set(_booleans_of(source))
    wrong = [name for name in names if name in options]
    if not wrong:
        return ""
    return (
        f"argparse makes True of every text by type=bool, also of 'False', and {program} has it for "
        f"{', '.join(map(repr, wrong))}, which the command passes as text: write action=argparse.BooleanOptionalAction "
        "there, and ${args_switches} into the sweep's command"
    )


def _booleans_of(source: str) -> Iterator[str]:
    """Yield the names of the arguments of argparse that are read by `bool`; none of a text that is not Python's."""
    try:
        calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for call in calls:
        is_argument = isinstance(call.func, ast.Attribute) and call.func.attr == "add_argument"
        kinds = [given.value for given in call.keywords if given.arg == "type"]
        if is_argument and any(isinstance(kind, ast.Name) and kind.id == "bool" for kind in kinds):
            words = [word.value for word in call.args if isinstance(word, ast.Constant)]
            yield from (word.lstrip("-") for word in words if isinstance(word, str))


def hint_of_none(names: Sequence[str]) -> str:
    """Say that a program may read None as a text.

    Args:
        names: The parameters that may be None, and are passed as `None` to the program's command line.

    Returns:
        A sentence for the user; empty without such a parameter.
    """
    if not names:
        return ""
    return (
        f"null of {', '.join(map(repr, names))} is passed to the program as the text None, as by W&B's own agent: "
        "argparse, Hydra and OmegaConf take it for a text. ${args_override_hydra} passes null to Hydra, "
        "${args_json_file} to programs that read JSON, and wandb.config has it"
    )


def hint_of_nested(names: Sequence[str]) -> str:
    """Say that a program gets nested parameters as one word.

    Args:
        names: The parameters that nest others, and are passed to the program's command line.

    Returns:
        A sentence for the user; empty without such a parameter.
    """
    if not names:
        return ""
    return (
        f"the parameters within {', '.join(map(repr, names))} are passed to the program as one word, "
        f"--{names[0]}={{'name': value}}, as by W&B's own agent: ${{args_override_hydra}} gives Hydra each by its own "
        f"name; other programs get --{names[0]}.name=value if the sweep's file names it {names[0]}.name"
    )


def hints(words: Iterable[str], run_id: str, *, passes_values: bool, num_joined: int = 0) -> list[str]:
    """Return sentences for the user.

    Args:
        words: Parts of the program's standard error: its beginning, its end.
        run_id: The run that the program was started for; it may make others.
        passes_values: Whether the sweep's command gives the hyperparameters to the program's command line.
        num_joined: How often it has called `wandb.init()`, as far as that shows elsewhere.
    """
    parts, found = list(words), []
    refused = refused_in("\n".join(parts))
    if refused and not passes_values:
        found.append(
            f"the program writes {', '.join(refused)} into wandb.config, which W&B refuses: the suggestion stays "
            "there. If the program trains with its own values, such as the defaults of its arguments, let the "
            "sweep's `command` pass ${args}, or train with wandb.config"
        )
    joined = re.compile(_JOINED.format(re.escape(run_id)))
    if max([num_joined, *(len(joined.findall(part)) for part in parts)]) > 1:
        found.append(
            "the program calls wandb.init() more than once for one run: all that is logged goes into it, and the last "
            "value counts. Of several processes, let the first one alone call it; of several folds, log their mean at "
            "the end"
        )
    return found
