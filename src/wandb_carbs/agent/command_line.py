"""A sweep's command with its macros filled in: how a program is given a suggestion."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from carbs.errors import Problem, raise_problems
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.metrics import flat

# W&B's own, for sweeps that have none.
DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")


# Texts that Hydra takes for what they are without quotes, unlike `null`, `1e3` or `a,b`.
_HYDRAS_WORD = re.compile(r"(?!(?:true|false|null|inf|nan)\Z)[A-Z_][A-Z0-9_./-]*", re.IGNORECASE | re.ASCII)


def _hydra(values: Mapping[str, Any]) -> list[str]:
    """Write values as Hydra reads them: each nested one by its own name, None as null, and texts that stay texts."""

    def whole(value: Any) -> str:
        if isinstance(value, Mapping):
            return f"{{{','.join(f'{name}:{whole(item)}' for name, item in value.items())}}}"
        if isinstance(value, list):
            return f"[{','.join(map(whole, value))}]"
        if isinstance(value, str):
            return value if _HYDRAS_WORD.fullmatch(value) else _quoted(value)
        return "null" if value is None else str(value)

    return [f"{name}={whole(value)}" for name, value in flat(values)]


def _quoted(text: str) -> str:
    """Quote a text by Hydra's rules: a backslash means something before a quote only, the closing one among them."""
    escaped = re.sub(r"(\\*)('|\Z)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), text)
    return f"'{escaped}'"


def _switch(name: str, value: Any) -> str:
    """Write a switch that is turned off by `--no-name`; tyro's form of a nested one is `--group.no-name`."""
    if value is not False:
        return f"--{name}" if value is True else f"--{name}={value}"
    *groups, last = name.split(".")
    return f"--{'.'.join([*groups, f'no-{last}'])}"


# Those that pass the hyperparameters to the program's command line.
_FORMATS: dict[str, Callable[[Mapping[str, Any]], list[str]]] = {
    "args": lambda values: [f"--{name}={value}" for name, value in values.items()],
    "args_no_equals": lambda values: [part for name, value in values.items() for part in (f"--{name}", str(value))],
    "args_no_hyphens": lambda values: [f"{name}={value}" for name, value in values.items()],
    "args_no_boolean_flags": lambda values: [
        f"--{name}" if value is True else f"--{name}={value}" for name, value in values.items() if value is not False
    ],
    "args_switches": lambda values: [_switch(name, value) for name, value in values.items()],
    "args_append_hydra": lambda values: [f"+{text}" for text in _hydra(values)],
    "args_override_hydra": lambda values: [f"++{text}" for text in _hydra(values)],
    "args_json": lambda values: [json.dumps(dict(values))],
}
_WITH_NULL = ("args_append_hydra", "args_override_hydra", "args_json")
_FILE = "args_json_file"
_MACROS = ("env", "interpreter", "program", *_FORMATS, _FILE)
# They start Python themselves.
_LAUNCHERS = frozenset({"torchrun", "accelerate", "deepspeed"})
_NO_PYTHON = frozenset({"--no_python", "--no-python"})
INTERPRETERS = frozenset({"${interpreter}", "python", "python3"})
_WHOLE = re.compile(r"\$\{([^}:]*)\}")
_INSIDE = re.compile(rf"\$\{{?(?:{'|'.join(sorted((*_FORMATS, _FILE), reverse=True))})\b")
_VARIABLE = re.compile(r"\$\{envvar:([A-Z0-9_]*)\}")


def check_command(command: Any, program: str | None) -> list[str]:
    """Return a sweep's command as a list of texts, after making sure that it can be run.

    Args:
        command: As the sweep's configuration has it; None for W&B's default.
        program: The sweep's program; None if it has none.

    Raises:
        WandbCarbsError: If it cannot be run; names every problem.
    """
    if command is None or command == []:
        if not program:
            raise WandbCarbsError(
                "the sweep has neither a program nor a command, so there is nothing to run: add `program: train.py` to "
                "its file, or run its training as a function with wandb.agent(sweep, function=…)"
            )
        return list(DEFAULT_COMMAND)
    problems = []
    if not isinstance(command, Sequence) or isinstance(command, str):
        problems.append(Problem("", "command", command, "must be a list, like [${env}, python, train.py, ${args}]"))
        command = []
    chunks = [str(chunk) for chunk in command]
    for chunk in chunks:
        match = _WHOLE.fullmatch(chunk)
        if match and match[1] not in _MACROS:
            known = ", ".join(f"${{{name}}}" for name in (*_MACROS, "envvar:NAME"))
            problems.append(Problem("", "command", chunk, f"is not a macro; known are {known}"))
        if chunk == "${program}" and not program:
            problems.append(Problem("", "command", chunk, "needs `program:` in the sweep's configuration"))
    if problems:
        raise_problems("the sweep's command cannot be run", problems)
    return chunks


def fill_in(
    command: Sequence[str],
    program: str | None,
    values: Mapping[str, Any],
    json_file: Path,
    environment: Mapping[str, str],
) -> list[str]:
    """Return the command to run, with the macros replaced as W&B's own agent replaces them.

    Args:
        command: What `check_command` returned.
        program: The sweep's program.
        values: The hyperparameters, by name; a nested one is a mapping.
        json_file: Where `${args_json_file}` may write them.
        environment: The variables that `${envvar:NAME}` may name; one that is not set stands for its own name.
    """
    line: list[str] = []
    for chunk in command:
        match = _WHOLE.fullmatch(chunk)
        if match is None:
            line.append(_VARIABLE.sub(lambda found: environment.get(found[1], found[1]), chunk))
        elif match[1] == "env":
            line.append("/usr/bin/env")
        elif match[1] == "interpreter":
            line.append(_interpreter(environment))
        elif match[1] == "program":
            line.append(str(program))
        elif match[1] == _FILE:
            json_file.parent.mkdir(parents=True, exist_ok=True)
            json_file.write_text(json.dumps(dict(values)), encoding="utf-8")
            line.append(str(json_file))
        else:
            line += _FORMATS[match[1]](values)
    return line


def passes_values(command: Sequence[str]) -> bool:
    """Tell whether a command gives the hyperparameters to the program's command line."""
    return any(match[1] in (*_FORMATS, _FILE) for chunk in command if (match := _WHOLE.fullmatch(chunk)))


def hint_of_start(command: Sequence[str]) -> str:
    """Say why a command does not start the program, where its words show that.

    Returns:
        A sentence for the user; empty if it seems to start it.
    """
    words = [word for word in command if word != "${env}"]
    first = words[0] if words else ""
    if (match := _WHOLE.fullmatch(first)) and match[1] in (*_FORMATS, _FILE):
        line = f"[${{env}}, ${{interpreter}}, ${{program}}, {first}]"
        return f"the command begins with the hyperparameters, and starts no program: write {line}"
    if len(parts := first.split()) > 1 and not Path(first).exists():
        return f"{first!r} of the command is one word, and no program has this name: write [{', '.join(parts)}, …]"
    for word, following in itertools.pairwise(words):
        if word in INTERPRETERS and following in _LAUNCHERS:
            return f"{following!r} of the command is no Python file: leave out {word!r} before it"
    before = words[: words.index("${program}")] if "${program}" in words else words
    launched = list(itertools.dropwhile(lambda word: word not in _LAUNCHERS, before))
    again = next((word for word in launched if word in INTERPRETERS), "")
    if again and _NO_PYTHON.isdisjoint(launched):
        return f"{launched[0]!r} of the command starts Python itself: leave out {again!r} after it"
    return ""


def hint_of_parts(command: Sequence[str]) -> str:
    """Say which words of a command hold a macro of the hyperparameters as a part, where W&B does not replace it.

    Returns:
        A sentence for the user; empty if no word does.
    """
    words = [chunk for chunk in command if _WHOLE.fullmatch(chunk) is None and _INSIDE.search(chunk)]
    if not words:
        return ""
    return (
        f"{', '.join(map(repr, words))} of the command is passed as it stands: a macro is replaced only as a word of "
        "its own, as in [python, train.py, ${args}]; for a shell's line write "
        "[bash, -c, 'python train.py \"$@\"', bash, ${args}]"
    )


def remedy_of(program: str) -> str:
    """Say how a program that is a whole line is written as a command; empty if it is one word."""
    first, *others = program.split() or [""]
    words = [*(["${interpreter}"] if first.endswith(".py") else []), first, *others]
    return f"its arguments belong into the command: [${{env}}, {', '.join(words)}, ${{args}}]" if others else ""


def passes_none_as_text(command: Sequence[str]) -> bool:
    """Tell whether a command passes None by the word `None`, which most parsers take for a text."""
    spelled = {f"${{{name}}}" for name in _FORMATS if name not in _WITH_NULL}
    return not spelled.isdisjoint(command)


def passes_booleans_as_text(command: Sequence[str]) -> bool:
    """Tell whether a command passes booleans to argparse by the words `True` and `False`."""
    return not {"${args}", "${args_no_equals}"}.isdisjoint(command)


def _interpreter(environment: Mapping[str, str]) -> str:
    # W&B's agent always says `python`, which some machines do not have.
    return "python" if shutil.which("python", path=environment.get("PATH")) else sys.executable
