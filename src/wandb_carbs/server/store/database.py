"""SQLite storage: connections, transactions, and the clock."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import Budget, current_budget
from wandb_carbs.server.store import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEFAULT_ENTITY = "local"
DEFAULT_PROJECT = "uncategorized"

MICROSECONDS = 1_000_000

# Seconds to wait for another process that holds the database, and for this process's other writers.
_BUSY = 2.0
_TURN = 10.0
# Steps of SQLite's machine between two looks at the budget of a request: about a millisecond.
_STEPS_BETWEEN_CHECKS = 20_000


class Store:
    """One SQLite file with one writer at a time and any number of readers.

    A reply leaves the server only after its transaction has reached the disk (WAL with `synchronous=FULL`), so a sweep
    survives the death of the server and of the machine. Readers wait for nobody.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open or create the database, readable by its owner only; an upgrade of its tables keeps a copy.

        Args:
            path: Database file; its folder exists.
            clock: Source of the time in seconds since the epoch.

        Raises:
            RequestError: The file was written by a newer version of this package.
        """
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._depth = 0
        self._writer: int | None = None
        self._idle: list[sqlite3.Connection] = []
        self._closed = False
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        path.chmod(0o600)
        self._connection = self._connect()
        try:
            self._upgrade()
        except BaseException:
            self._connection.close()
            raise
        # Clients could not be heard while the server was down: no one's silence counts from before this moment.
        self.started_at = self.now()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY, check_same_thread=False, isolation_level=None)
        connection.row_factory = sqlite3.Row
        return connection

    def _upgrade(self) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > schema.VERSION:
            raise RequestError(f"{self._path} has schema version {version}; this server knows {schema.VERSION}")
        if version == schema.VERSION:
            return
        if version > 0:
            self._keep_copy(version)
        steps = " ".join(schema.STEPS[version:])
        self._connection.executescript(f"BEGIN IMMEDIATE; {steps} PRAGMA user_version = {schema.VERSION}; COMMIT;")

    def _keep_copy(self, version: int) -> None:
        """Copy the database as an older version left it to a file beside it."""
        copy = self._path.with_name(f"{self._path.name}.v{version}-{self.now()}")
        os.close(os.open(copy, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        try:
            with contextlib.closing(sqlite3.connect(copy)) as target:
                self._connection.backup(target)
        except BaseException:
            copy.unlink(missing_ok=True)
            raise

    def now(self) -> int:
        """Return the time in microseconds since the epoch."""
        return int(self._clock() * MICROSECONDS)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Be the writer, and commit at the end or roll back on an exception; nested calls join the outer one.

        Raises:
            RequestError: Other writers take too long (503).
        """
        if not self._lock.acquire(timeout=_TURN):
            raise RequestError("the server's database is busy; repeat the request later", 503)
        try:
            if self._depth > 0:
                self._depth += 1
                try:
                    yield self._connection
                finally:
                    self._depth -= 1
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._depth, self._writer = 1, threading.get_ident()
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                self._depth, self._writer = 0, None
                # After an exception, and after a commit that failed. SQLite itself rolls back what a full disk broke.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        finally:
            self._lock.release()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read what is committed, statement by statement; inside a transaction of this thread, read what it sees.

        The statements end early once the budget of the request is spent.

        Raises:
            RequestError: It is spent.
        """
        if self._writer == threading.get_ident():
            yield self._connection
            return
        with self._reader() as connection:
            budget = current_budget()
            if budget is None:
                yield connection
                return
            connection.set_progress_handler(budget.is_spent, _STEPS_BETWEEN_CHECKS)
            try:
                yield connection
            except sqlite3.OperationalError as error:
                _explain(budget, error)
                raise
            finally:
                connection.set_progress_handler(None, 0)

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            self._idle.append(connection)
            if self._closed:
                self._close_idle()

    def _close_idle(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().close()

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._closed = True
            self._close_idle()
            self._connection.close()


def _explain(budget: Budget, error: sqlite3.OperationalError) -> None:
    """Raise the budget's own error for a statement that it has interrupted."""
    if "interrupted" in str(error):
        try:
            budget.check()
        except RequestError as reason:
            raise reason from None


def timestamp(microseconds: int) -> str:
    """Format a time as ISO-8601 UTC with microseconds."""
    seconds, rest = divmod(microseconds, MICROSECONDS)
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc).replace(microsecond=rest)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
