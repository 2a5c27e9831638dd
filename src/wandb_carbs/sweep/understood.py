"""The outcome of reading a distribution: a space, a constant, or an entry that is not clear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from carbs import Space


class UnclearEntryError(Exception):
    """An entry cannot be understood.

    Attributes:
        key: The key that is wrong; empty for the entry itself.
        rule: The rule that it breaks, and what to write instead.
        subject: Begin of the sentence, as in `carbs.errors.Problem`.
    """

    def __init__(self, key: str, rule: str, subject: str | None = "") -> None:
        super().__init__(rule)
        self.key, self.rule, self.subject = key, rule, subject


@dataclass(frozen=True)
class Understood:
    """A distribution as it was understood.

    Attributes:
        space: What to search; None for a constant.
        constant: The value of a constant.
        center: Where the search starts; None for no opinion.
        notes: Sentences, where it is not obvious.
    """

    space: Space | None
    constant: Any = None
    center: float | None = None
    notes: tuple[str, ...] = ()
