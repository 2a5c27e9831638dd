"""The folder that holds all state: private, and used by one server at a time."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Files and folders that the server makes there.
_OWN = ("lock", "api-key", "wandb-carbs.db", "files", "uploads")


def make_private(folder: Path) -> None:
    """Make the data folder, or take one that is there, so that only its owner can read it.

    A folder that holds other things than the server's own keeps its mode: others may need them. Everything in it that
    is the server's is private by itself.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if all(path.name.startswith(_OWN) for path in folder.iterdir()):
        folder.chmod(0o700)
    files = folder / "files"
    files.mkdir(mode=0o700, exist_ok=True)
    files.chmod(0o700)


def lock(path: Path) -> int:
    """Lock a file until it is closed, if only by the end of the process; return its descriptor.

    Raises:
        OSError: Another server holds it, or the file cannot be opened.
    """
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise OSError("another server is using it; stop that one, or choose another --data-dir") from None
    return handle
