"""The one exception type that user errors raise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class CarbsError(ValueError):
    """Raise for input that breaks a rule; the message names the thing, its value and the rule."""


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
