"""The API key: kept in a file, or given."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path

# W&B's clients want at least 40 characters, old ones exactly 40.
_LENGTH = 40


class Key:
    """The key that clients must send, as its file has it now: a key that was rotated ends at once.

    Args:
        path: The file, made at the first start and readable by its owner only.
        given: A key to use instead of a file.

    Raises:
        ValueError: The key is malformed.
        OSError: The file cannot be read or made.
    """

    def __init__(self, path: Path, given: str | None = None) -> None:
        self._path = path
        self._is_given = given is not None
        self._seen: tuple[int, int] | None = None
        self._value = _checked(given) if given is not None else ""
        if given is None:
            # A full disk leaves an empty file behind.
            if not path.exists() or not path.read_text(encoding="utf-8").strip():
                rotate(path)
            self._read()

    @property
    def value(self) -> str:
        """The key."""
        if not self._is_given:
            # A file that is gone or half-written does not change the key.
            with contextlib.suppress(OSError, ValueError):
                self._read()
        return self._value

    def _read(self) -> None:
        facts = self._path.stat()
        state = facts.st_mtime_ns, facts.st_ino
        if state != self._seen:
            self._value = _checked(self._path.read_text(encoding="utf-8").strip())
            self._seen = state


def rotate(path: Path) -> str:
    """Put a new key into a file, whole or not at all, and return it.

    Raises:
        OSError: The file cannot be made.
    """
    key = secrets.token_hex(_LENGTH // 2)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix="api-key-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(key + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return key


def _checked(key: str) -> str:
    if len(key) != _LENGTH or not key.isascii() or not key.isalnum():
        raise ValueError(f"an API key has {_LENGTH} letters and digits, not {len(key)} characters")
    return key
