"""Files under way: each is written to a folder of its own, and takes its place only when it is whole."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self


class Upload:
    """A file under way, which is gone at the end of the block unless it was moved.

    Args:
        folder: Where files under way are, on the disk of the data.

    Attributes:
        path: Where the bytes are.
        size: Number of bytes so far.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder)
        self._file = os.fdopen(handle, "wb")
        self._digest = hashlib.md5(usedforsecurity=False)
        self.path = Path(name)
        self.size = 0

    def write(self, data: bytes) -> None:
        """Add bytes.

        Raises:
            OSError: The disk is full.
        """
        self._file.write(data)
        self._digest.update(data)
        self.size += len(data)

    def finish(self) -> str:
        """Bring all bytes to the disk, and return their MD5."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.path.unlink(missing_ok=True)
        try:
            self._file.close()
        except OSError:
            if error is None:
                raise


def sweep(folder: Path) -> None:
    """Delete what uploads left behind when their server was killed."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
