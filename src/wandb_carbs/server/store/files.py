"""Files that runs upload: bytes on disk, one row per file, and addresses that need no key."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import mimetypes
import shutil
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.database import timestamp
from wandb_carbs.server.store.uploads import Upload

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from wandb_carbs.server.store.database import Store

_TO_WRITE = "write:"
_LONGEST_ID = 19
# The files of artifacts are among a run's files, but they are no files of the run to its users.
_OF_RUN = "FROM files WHERE run_id = ? AND name NOT GLOB 'artifact/*'"


def file_id(run_id: int, name: str) -> str:
    """Return the opaque id of a run's file."""
    return base64.b64encode(f"File:{run_id}:{name}".encode("utf-8", "surrogatepass")).decode()


def file_of(identifier: str) -> tuple[int, str]:
    """Return the run and the name that a file's opaque id stands for.

    Raises:
        RequestError: It is the id of no file (404).
    """
    try:
        kind, run_id, name = base64.b64decode(identifier.encode(), validate=True).decode().split(":", 2)
        if kind == "File" and run_id.isascii() and run_id.isdigit() and len(run_id) < 18:
            return int(run_id), name
    except (binascii.Error, UnicodeError, ValueError):
        pass
    raise RequestError(f"unknown file id {identifier!r}", 404)


def of_run(db: sqlite3.Connection, run_id: int) -> list[sqlite3.Row]:
    """Return the rows of a run's files by name, but for those of its artifacts."""
    return db.execute(f"SELECT * {_OF_RUN} ORDER BY name", (run_id,)).fetchall()


def count_of_run(db: sqlite3.Connection, run_id: int) -> int:
    """Return how many files a run has, but for those of its artifacts."""
    number: int = db.execute(f"SELECT count(*) {_OF_RUN}", (run_id,)).fetchone()[0]
    return number


class RunFiles:
    """The files of all runs.

    Args:
        store: The storage.
        folder: Where the bytes are.
        secret: Returns what signs the addresses, so that a file needs no other authorization.
    """

    def __init__(self, store: Store, folder: Path, secret: Callable[[], str]) -> None:
        self._store = store
        self._folder = folder
        self._secret = secret

    def address(self, run_id: int, name: str) -> str:
        """Return the path, with its signature, at which a file is read; it does not allow to write the file."""
        return f"/storage/{run_id}/{self._sign(run_id, name)}/{quote(name, safe='/')}"

    def upload_address(self, run_id: int, name: str) -> str:
        """Return the path, with its signature, at which a file is written, and may be read."""
        return f"/storage/{run_id}/{self._sign(run_id, name, _TO_WRITE)}/{quote(name, safe='/')}"

    def _sign(self, run_id: int, name: str, purpose: str = "") -> str:
        message = f"{purpose}{run_id}/{name}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret().encode(), message, hashlib.sha256).hexdigest()[:32]

    def check(self, run: str, signature: str, name: str, *, to_write: bool) -> int:
        """Check an address, and return the run's row id.

        Raises:
            RequestError: The signature is wrong (403).
        """
        given = signature.encode("utf-8", "replace")
        if run.isascii() and run.isdigit() and len(run) < _LONGEST_ID:
            purposes = (_TO_WRITE,) if to_write else ("", _TO_WRITE)
            if any(hmac.compare_digest(self._sign(int(run), name, purpose).encode(), given) for purpose in purposes):
                return int(run)
        raise RequestError("this file address was not made by this server, or not for this", 403)

    def path(self, run_id: int, name: str) -> Path:
        """Return where a file's bytes are; the name is hashed, so no name leads out of the folder."""
        return self._folder / str(run_id) / hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()

    def begin(self) -> Upload:
        """Return a file under way, to be kept once all of its bytes are there."""
        return Upload(self._folder.parent / "uploads")

    def keep(self, upload: Upload, run_id: int, name: str) -> None:
        """Give a run the file that was uploaded, in place of one that it had under that name.

        Raises:
            RequestError: The run is gone (404).
            OSError: The disk is full.
        """
        digest = upload.finish()
        target = self.path(run_id, name)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._store.transaction() as db:
            if db.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is None:
                raise RequestError("the run of this file is gone", 404)
            db.execute(
                "INSERT OR REPLACE INTO files (run_id, name, size, md5, updated_at) VALUES (?, ?, ?, ?, ?)",
                (run_id, name, upload.size, digest, self._store.now()),
            )
            upload.path.replace(target)

    def delete(self, run_id: int) -> None:
        """Delete the bytes of a run's files."""
        shutil.rmtree(self._folder / str(run_id), ignore_errors=True)

    def delete_some(self, identifiers: Iterable[str]) -> None:
        """Delete files of runs, all or none; a file that is gone already is as the client wants it.

        Args:
            identifiers: The files' opaque ids.

        Raises:
            RequestError: One is the id of no file (404).
        """
        gone = [file_of(identifier) for identifier in identifiers]
        with self._store.transaction() as db:
            db.executemany("DELETE FROM files WHERE run_id = ? AND name = ?", gone)
        self.unlink(gone)

    def move(self, run_id: int, other_id: int, name: str) -> None:
        """Move a file's bytes from one run to another, if they are not there already."""
        target = self.path(other_id, name)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.path(run_id, name).replace(target)

    def unlink(self, files: Iterable[tuple[int, str]]) -> None:
        """Delete the bytes of files, given by run and name."""
        for run_id, name in files:
            self.path(run_id, name).unlink(missing_ok=True)

    def node(self, row: sqlite3.Row, base_url: str) -> dict[str, Any]:
        """Return a file's row as a node of GraphQL's type File."""
        run_id, name = row["run_id"], row["name"]
        address = base_url + self.address(run_id, name)
        return {
            "id": file_id(run_id, name),
            "name": name,
            "url": address,
            "directUrl": address,
            "sizeBytes": row["size"],
            "mimetype": mimetypes.guess_type(name)[0] or "application/octet-stream",
            "updatedAt": timestamp(row["updated_at"]),
            "md5": row["md5"],
            "displayName": name,
            "storagePath": f"{run_id}/{name}",
            "digest": row["md5"],
        }
