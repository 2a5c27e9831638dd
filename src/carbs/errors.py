"""The one exception type that user errors raise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carbs.values import is_positive, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


class CarbsError(ValueError):
    """Raise for input that breaks a rule; the message names the thing, its value and the rule."""


def check_positive(name: str, value: Any) -> None:
    """Refuse what is not a positive, finite number.

    Raises:
        CarbsError: If `value` is such; it is called `name`.
    """
    if not is_positive(value):
        raise CarbsError(f"{name}={shown(value)} must be a positive, finite number")


def raise_problems(subject: str, problems: Sequence[str]) -> None:
    """Raise one error that lists every problem, or return if there is none.

    Args:
        subject: What the problems are about, the beginning of the message.
        problems: One sentence each.

    Raises:
        CarbsError: If `problems` is not empty.
    """
    if len(problems) == 1:
        raise CarbsError(f"{subject}: {problems[0]}")
    if problems:
        raise CarbsError("\n  - ".join([f"{subject}: {len(problems)} problems", *problems]))
