"""The keys of a sweep's file, read one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from carbs.errors import did_you_mean
from wandb_carbs.sweep.file.document import Document

# The key that W&B's own tools take around a whole sweep.
_WRAPPER = "sweep"


class Keys:
    """Reads keys of a file, and notes problems in its document on the way.

    Args:
        document: The file.

    Attributes:
        values: The file's values by key; without those that are empty, and without a key around all.
        notes: Sentences about how the file was understood.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._root: tuple[str, ...] = ()
        self.values: dict[str, Any] = {}
        self.notes: list[str] = []

    def open(self, known: tuple[str, ...], unused: Mapping[str, str]) -> bool:
        """Check the keys; return whether there are any.

        Args:
            known: Those that mean something.
            unused: Those that other tools know, and why they are not used.
        """
        values = self._document.values
        if not isinstance(values, dict):
            if not self._document.problems:
                self.say("the file must be a mapping of names to values")
            return False
        if wrapper := _wrapper_of(values):
            self._check(values, (wrapper,), unused)
            if wrapper != _WRAPPER:
                self.notes.append(f"the sweep is read from {wrapper!r}")
            self._root, values = (wrapper,), values[wrapper]
        self._check(values, known, unused)
        self.values = {key: value for key, value in values.items() if value is not None}
        return True

    @property
    def has_problems(self) -> bool:
        """Whether something is wrong with the file."""
        return bool(self._document.problems)

    def say(self, problem: str, *path: str | int) -> None:
        """Note a problem with the value at a path."""
        self._document.say(problem, *self._root, *path)

    def line(self, *path: str | int) -> int:
        """Return the line of the value at a path."""
        return self._document.line(*self._root, *path)

    def written(self, *path: str | int) -> str | None:
        """Return a scalar as it is written, so that `name: 2024` is text; None for lists and mappings."""
        return self._document.texts.get((*self._root, *path))

    def read_otherwise(self, *path: str | int) -> Iterator[tuple[str, Any, Any]]:
        """Yield each word below a path that W&B reads otherwise, its value here, and its value there."""
        root = (*self._root, *path)
        for place, (here, there) in self._document.others.items():
            if place[: len(root)] == root:
                yield self._document.texts[place], here, there

    def text(self, key: str) -> str | None:
        """Read text; None where the key is missing."""
        if key not in self.values:
            return None
        text = self.written(key)
        if text is None or not text.strip():
            self.say(f"{key}={self.values[key]!r} must be text", key)
            return None
        return text

    def _check(self, values: Mapping[str, Any], known: tuple[str, ...], unused: Mapping[str, str]) -> None:
        for key, value in values.items():
            if key in known or key.startswith("x-") or value is None:
                continue
            if key in unused:
                self.notes.append(f"{key!r} {unused[key]}")
                continue
            hint = did_you_mean(key, known) or "; templates go under a key that begins with x-"
            self.say(f"unknown key {key!r}{hint}; known are {', '.join(known)}", key)


def _wrapper_of(values: Mapping[str, Any]) -> str:
    """Return the key around a whole sweep, such as `sweep` or `sweep_config`; empty if the sweep stands by itself."""
    if set(values) & {"parameters", "method"}:
        return ""
    if isinstance(values.get(_WRAPPER), dict):
        return _WRAPPER
    mappings = {key: value for key, value in values.items() if isinstance(value, dict) and not key.startswith("x-")}
    holding = [key for key, value in mappings.items() if isinstance(value.get("parameters"), dict)]
    return holding[0] if len(holding) == 1 else ""
