"""The one exception type that user errors raise, and the problems that it lists."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carbs.values import is_positive, is_whole, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True)
class Problem:
    """One broken rule, in parts: a reader of files finds the line by them, and `str` makes the sentence from them.

    Attributes:
        place: The part of the input that it is about, as the sentence names it: "parameter 'lr'", "observations[3]";
            empty for the input itself.
        key: Name of the option or argument that breaks the rule: "min"; may be empty.
        value: Its value, as it was given; None where it is missing.
        rule: The rule, as the rest of a sentence: "must be a positive number".
        subject: Begin of that sentence; None for "key=value", empty where the rule is a whole sentence.
    """

    place: str
    key: str
    value: Any
    rule: str
    subject: str | None = None

    def __str__(self) -> str:
        """Return the sentence: "parameter 'lr': min=-1 must be a positive number"."""
        subject = f"{self.key}={shown(self.value)}" if self.subject is None else self.subject
        sentence = f"{subject} {self.rule}" if subject else self.rule
        return f"{self.place}: {sentence}" if self.place else sentence


class CarbsError(ValueError):
    """Raise for input that breaks a rule; the message names the thing, its value and the rule.

    Args:
        message: The text.
        problems: The problems that the text is made from.

    Attributes:
        problems: The problems, in the order of the text; empty for an error of another kind (a file without sense).
    """

    problems: tuple[Problem, ...]

    def __init__(self, message: str = "", problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


def refuse(problem: Problem, subject: str = "") -> CarbsError:
    """Return the error of a single problem; its text is the problem's sentence, after the `subject` if there is one."""
    return CarbsError(f"{subject}: {problem}" if subject else str(problem), (problem,))


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """Return the known word that is most like `word`, as the end of a sentence; empty if none is like it."""
    close = difflib.get_close_matches(word, list(known), 1) if isinstance(word, str) else []
    return f"; did you mean {close[0]!r}?" if close else ""


def check_positive(name: str, value: Any) -> None:
    """Refuse a value that is not a positive, finite number.

    Raises:
        CarbsError: If `value` is such; it is called `name`.
    """
    if not is_positive(value):
        raise refuse(Problem("", name, value, "must be a positive, finite number"))


def check_whole(name: str, value: Any, least: int) -> None:
    """Refuse a value that is not a whole number of at least `least`.

    Raises:
        CarbsError: If `value` is such; it is called `name`.
    """
    if not is_whole(value, least):
        raise refuse(Problem("", name, value, f"must be a whole number of at least {least}"))


def raise_problems(subject: str, problems: Sequence[Problem | str]) -> None:
    """Raise one error that lists every problem; return if `problems` is empty.

    Args:
        subject: The beginning of the message: "invalid search space".
        problems: The problems; a string is one without parts.

    Raises:
        CarbsError: If `problems` is not empty.
    """
    listed = [Problem("", "", None, problem, "") if isinstance(problem, str) else problem for problem in problems]
    if len(listed) == 1:
        raise refuse(listed[0], subject)
    if listed:
        raise CarbsError("\n  - ".join([f"{subject}: {len(listed)} problems", *map(str, listed)]), listed)
