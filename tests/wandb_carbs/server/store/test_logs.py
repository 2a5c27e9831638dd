"""Lines of a run's output."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stored import send
from wandb_carbs.server.store import logs, run_streams

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def test_lines_have_number_time_level_and_text(store: Store) -> None:
    send(
        store,
        run_streams.OUTPUT,
        0,
        "2026-11-24T08:22:06.342971 hello",
        "ERROR 2026-11-24T08:22:07Z no",
        "bare",
        "ERROR bare",
    )
    with store.reading() as db:
        found = [
            (line["number"], line["timestamp"], line["level"], line["line"]) for line in logs.lines_from(db, 1, 0, 10)
        ]
    assert found == [
        (0, "2026-11-24T08:22:06.342971", "info", "hello"),
        (1, "2026-11-24T08:22:07Z", "error", "no"),
        (2, None, "info", "bare"),
        (3, None, "info", "ERROR bare"),
    ]


def test_parts_are_those_that_are_asked_for(store: Store) -> None:
    send(store, run_streams.OUTPUT, 0, *map(str, range(20)))
    with store.reading() as db:
        assert [line["line"] for line in logs.last_lines(db, 1, 3)] == ["17", "18", "19"]
        assert [line["number"] for line in logs.lines_from(db, 1, 5, 2)] == [5, 6]
        assert logs.lines_from(db, 1, 20, 2) == logs.last_lines(db, 2, 5) == []
