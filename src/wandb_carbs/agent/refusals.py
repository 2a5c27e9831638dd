"""Programs that refuse their arguments, or cannot start: by the words of the parsers that are in use."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from wandb_carbs.agent.exceptions import exception_lines

_USAGE = re.compile(
    r"unrecognized arguments|unknown command line flag|no such option|got unexpected extra argument|invalid choice"
    r"|could not consume arg|could not override|is not in struct|the following arguments are required"
    r"|could not parse override|no viable alternative at input|(?:mismatched|extraneous) input '.*' expecting"
    r"|token recognition error at|unexpected keyword argument|unrecognized option"
    r"|LexerNoViableAltException|not used by the HfArgumentParser|flags parsing error"
    r"|\[type=(?:\w+_parsing|extra_forbidden),",
    re.IGNORECASE,
)
# Those of a function or a model that is called with the values of wandb.config.
_CALLED = re.compile(r"unexpected keyword argument|\[type=(?:\w+_parsing|extra_forbidden),")
# Pydantic's. A training may read something else by it, such as replies of a model.
_VALIDATION = re.compile(r"\[type=\w+,")
# These name what is not taken: the former in its line, the latter in the line before.
_KEYWORD = re.compile(r"unexpected keyword argument '([^']+)'")
# A training may say these, too. With this exit code it is a parser: argparse, click, typer, jsonargparse or tyro.
_REFUSED_CODE = 2
_REFUSED = re.compile(
    r"error: argument |invalid value for '|error parsing --|parser key \"|does not take a value"
    r"|requires an argument|missing (?:option|argument|value for|required)",
    re.IGNORECASE,
)
# The frames that typer and tyro draw around their complaints; a frame's title is no complaint.
_FRAME = " \t│┃|"
_TITLES = ("╭", "┏", "╰", "┗", "│ ─", "┃ ━")
_BROKEN = re.compile(
    r"^(ModuleNotFoundError|ImportError|SyntaxError|IndentationError|TabError)\b.*"
    r"|can't open file .*|can't find '__main__' module.*",
    re.MULTILINE,
)
# Where parsers of arguments complain: the end of what the program says.
_LAST_LINES = 20
_ARGUMENTS = (
    "the program does not take the arguments that the sweep's command gives it. Name the parameters as the program "
    "does, or change `command` in the sweep's file: ${args} gives --name=value, ${args_no_equals} --name value, "
    "${args_no_hyphens} name=value, ${args_override_hydra} the same for Hydra, nested parameters and null among them, "
    "${args_no_boolean_flags} --name for what is true, ${args_switches} also --no-name for what is false; without any, "
    "the program reads wandb.config"
)


@dataclass(frozen=True)
class Refusal:
    """Why a program did not train.

    Attributes:
        reason: What it said.
        advice: A hint to the user.
        is_certain: Whether every other run will end like it.
    """

    reason: str
    advice: str
    is_certain: bool = True


def refusal_of(
    code: int,
    words: str,
    *,
    may_be_training: bool,
    has_logged: bool = False,
    passes_values: bool = True,
    parameters: Collection[str] = (),
) -> Refusal | None:
    """Find out whether a program has refused its arguments, or cannot start.

    Args:
        code: Its exit code.
        words: The end of its standard error.
        may_be_training: Whether it had begun its run, or an exception ended it: then words of a parser are needed, and
            another run may end otherwise.
        has_logged: Whether it has logged the sweep's metric: then it did train.
        passes_values: Whether the sweep's command gives the hyperparameters to the program's command line.
        parameters: Names of the sweep's parameters; a function or a model that does not take another name refuses
            nothing of the sweep's. Without them every name may be one.

    Returns:
        Why it did not train; None if it may have.
    """
    if has_logged:
        return None
    lines = _lines(words)
    is_parser = code == _REFUSED_CODE
    known = _USAGE if passes_values or is_parser or not may_be_training else _CALLED
    if complaint := _complaint(code, lines, known, parameters):
        return Refusal(f"refused its arguments: {complaint}", _ARGUMENTS, is_certain=is_parser or not may_be_training)
    if found := _BROKEN.search("\n".join(lines)):
        return Refusal(found[0][:200], f"the program cannot start: {found[0][:200]}", is_certain=not may_be_training)
    if not is_parser or may_be_training:
        return None
    # A parser that is not known here, or a shell.
    last = next((line for line in reversed(lines) if any(map(str.isalnum, line))), f"exit code {code}")
    return Refusal(f"refused its arguments: {last[:200]}", _ARGUMENTS, is_certain=False)


def _complaint(code: int, lines: Sequence[str], known: re.Pattern[str], parameters: Collection[str]) -> str:
    """Return the line in which a parser of arguments says what it does not take; empty if none does."""
    for before, line, following in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        if _is_of_others(before, line, parameters):
            continue
        if known.search(line) or (code == _REFUSED_CODE and _REFUSED.search(line)):
            return (f"{line} {following}" if line.endswith(":") else line)[:200]
    return ""


def _is_of_others(before: str, line: str, parameters: Collection[str]) -> bool:
    """Tell whether a complaint names something that is no parameter of the sweep, nor a part of one's name."""
    keyword = _KEYWORD.search(line)
    name = keyword[1] if keyword else before if _VALIDATION.search(line) else ""
    return bool(name and parameters) and _parts([name]).isdisjoint(_parts(parameters))


def _parts(names: Iterable[str]) -> set[str]:
    return {part for name in names for part in name.replace("-", "_").split(".")}


def _lines(words: str) -> list[str]:
    """Return the lines that say why a program ended, without the frames around them.

    They are those of the exception that ended it, and not what it had said before; or else the last ones.
    """
    lines = exception_lines(words)[:_LAST_LINES] or words.splitlines()[-_LAST_LINES:]
    return [line.strip().strip(_FRAME) for line in lines if not line.strip().startswith(_TITLES)]
