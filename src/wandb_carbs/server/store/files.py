"""Files that runs upload: bytes on disk, one row per file, and addresses that need no key."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.database import timestamp
from wandb_carbs.server.store.ids import global_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from wandb_carbs.server.store.database import Store


class RunFiles:
    """The files of all runs.

    Args:
        store: The storage.
        folder: Where the bytes are.
        secret: Signs the addresses, so that an upload needs no other authorization.
    """

    def __init__(self, store: Store, folder: Path, secret: str) -> None:
        self._store = store
        self._folder = folder
        self._secret = secret.encode()

    def address(self, run_id: int, name: str) -> str:
        """Return the path, with its signature, at which a file is put and got."""
        return f"/storage/{run_id}/{self._sign(run_id, name)}/{quote(name, safe='/')}"

    def _sign(self, run_id: int, name: str) -> str:
        message = f"{run_id}/{name}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()[:32]

    def check(self, run_id: int, signature: str, name: str) -> None:
        """Check an address.

        Raises:
            RequestError: The signature is wrong (403).
        """
        if not hmac.compare_digest(self._sign(run_id, name).encode(), signature.encode("utf-8", "replace")):
            raise RequestError("this file address was not made by this server", 403)

    def path(self, run_id: int, name: str) -> Path:
        """Return where a file's bytes are; the name is hashed, so no name leads out of the folder."""
        return self._folder / str(run_id) / hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()

    def write(self, run_id: int, name: str, chunks: Iterable[bytes]) -> None:
        """Store a file, replacing it whole.

        Raises:
            RequestError: The run is gone (404).
        """
        target = self.path(run_id, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.md5(usedforsecurity=False), 0
        handle, temporary = tempfile.mkstemp(dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            with self._store.transaction() as db:
                if db.execute("SELECT 1 FROM runs WHERE id = ?", (run_id,)).fetchone() is None:
                    raise RequestError("the run of this file is gone", 404)
                db.execute(
                    "INSERT OR REPLACE INTO files (run_id, name, size, md5, updated_at) VALUES (?, ?, ?, ?, ?)",
                    (run_id, name, size, digest.hexdigest(), self._store.now()),
                )
                Path(temporary).replace(target)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def delete(self, run_id: int) -> None:
        """Delete the bytes of a run's files."""
        shutil.rmtree(self._folder / str(run_id), ignore_errors=True)

    def nodes(self, db: sqlite3.Connection, run_id: int, base_url: str) -> list[dict[str, Any]]:
        """Return a run's files as GraphQL nodes, by name."""
        rows = db.execute("SELECT * FROM files WHERE run_id = ? ORDER BY name", (run_id,)).fetchall()
        return [
            {
                "id": global_id("File", place) + str(run_id),
                "name": row["name"],
                "url": base_url + self.address(run_id, row["name"]),
                "directUrl": base_url + self.address(run_id, row["name"]),
                "sizeBytes": row["size"],
                "mimetype": mimetypes.guess_type(row["name"])[0] or "application/octet-stream",
                "updatedAt": timestamp(row["updated_at"]),
                "md5": row["md5"],
            }
            for place, row in enumerate(rows)
        ]
