"""Runs that several processes write at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stored import run_row
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_streams, runs, streams, writers

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def send(store: Store, writer: str, file: str, offset: int, *lines: Any, **more: Any) -> None:
    content = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    body = {"files": {file: {"offset": offset, "content": content}}, **more}
    run_streams.stream(store, "local", "p", "r", body, writer)


def lines_of(store: Store, file: str) -> list[str]:
    with store.reading() as db:
        return list(streams.lines(db, run_row(store)["id"], file))


def test_no_line_of_any_writer_is_lost_or_there_twice(store: Store) -> None:
    """Requests are sent again after an outage, alone or with new lines."""
    for writer, offset, count in [("a", 0, 2), ("b", 0, 2), ("a", 0, 2), ("a", 1, 3), ("b", 2, 1), ("b", 0, 3)]:
        rows = [{"_step": offset + place, f"loss_{writer}": offset + place} for place in range(count)]
        send(store, writer, run_streams.HISTORY, offset, *rows)
    rows = [json.loads(line) for line in lines_of(store, run_streams.HISTORY)]
    assert [row["_step"] for row in rows] == list(range(7))
    for writer, count in (("a", 4), ("b", 3)):
        assert [row[f"loss_{writer}"] for row in rows if f"loss_{writer}" in row] == list(range(count))
    run = run_row(store)
    assert (run["history_lines"], run["last_step"]) == (7, 6)
    assert json.loads(run["last_values"]) == {"_step": 6, "loss_a": 3, "loss_b": 2}


def test_output_that_a_writer_rewrites_is_its_own(store: Store) -> None:
    send(store, "a", run_streams.OUTPUT, 0, "a1", "a 10%")
    send(store, "b", run_streams.OUTPUT, 0, "b 10%")
    send(store, "a", run_streams.OUTPUT, 1, "a 20%", "a3")
    send(store, "b", run_streams.OUTPUT, 0, "b 20%")
    assert lines_of(store, run_streams.OUTPUT) == ["a1", "a 20%", "b 20%", "a3"]


def test_keys_of_all_writers_are_kept(store: Store) -> None:
    values = {"name": "r", "modelName": "p"}
    for writer in ("a", "b", "a"):
        config = {"lr": {"value": 1}, writer: {"value": writer}, "_wandb": {"value": {"e": {writer: {"cpu": 1}}}}}
        runs.upsert(store, {**values, "config": json.dumps(config)}, writer)
        send(store, writer, run_streams.SUMMARY, 0, {f"best_{writer}": 1.0, "last": writer})
        send(store, writer, run_streams.EVENTS, 0, {f"cpu/l:{writer}": 1.0})
    run = run_row(store)
    config = json.loads(run["config"])
    assert config.keys() == {"lr", "a", "b", "_wandb"}
    assert config["_wandb"]["value"]["e"].keys() == {"a", "b"}
    assert json.loads(run["summary"]) == {"best_a": 1.0, "best_b": 1.0, "last": "a"}
    assert json.loads(run["system_metrics"]) == {"cpu/l:a": 1.0, "cpu/l:b": 1.0}


def test_writers_that_end_later_do_not_bring_a_run_back(store: Store) -> None:
    """Only the primary one says that the run ended; a process that joins later begins it anew."""
    values = {"name": "r", "modelName": "p"}
    for writer in ("a", "b"):
        runs.upsert(store, values, writer)
    send(store, "a", run_streams.OUTPUT, 0, "end", complete=True, exitcode=0)
    send(store, "b", run_streams.OUTPUT, 0, "late")
    runs.upsert(store, values, "b")
    assert run_row(store)["state"] == "finished"
    assert lines_of(store, run_streams.OUTPUT) == ["end", "late"]
    runs.upsert(store, values, "c")
    assert run_row(store)["state"] == "running"
    with store.transaction() as db:
        db.execute("UPDATE runs SET state = 'crashed'")
    send(store, "b", run_streams.OUTPUT, 1, "was only silent")
    assert run_row(store)["state"] == "running"


def test_values_of_all_writers_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "MAX_BODY", 30)
    assert writers.merged('{"a": 1}', {"b": 2}) == '{"a": 1, "b": 2}'
    with pytest.raises(RequestError, match="all writers together send"):
        writers.merged('{"a": 1}', {"b": "x" * 30})
    with pytest.raises(RequestError, match="id of a writer"):
        writers.checked_writer("x" * 101)


@given(positions=st.lists(st.integers(0, 20), unique=True))
def test_lines_with_neighbouring_places_are_together(positions: list[int]) -> None:
    lines = [str(position) for position in positions]
    parts = list(writers.together(positions, lines))
    assert [line for _, part in parts for line in part] == lines
    assert all(part == [str(start + place) for place in range(len(part))] for start, part in parts)
