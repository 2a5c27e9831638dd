"""Standings follow their runs, whoever changes them."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from stored import make_run, make_sweep
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import Budget, spending
from wandb_carbs.server.store import run_streams, runs
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id
from wandb_carbs.server.sweeps import standings, sweeps
from wandb_carbs.server.sweeps.run_rows import read_run

CARBS = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 10.0, "carbs.suggestion": '{"x": 3}'}


def read(store: Store) -> list[dict[str, Any]]:
    """Bring the standings of the only project up to date, and return them."""
    standings.refresh(store, 1)
    with store.reading() as db:
        rows = [dict(row) for row in db.execute("SELECT * FROM standings ORDER BY run_id")]
    assert all(row["version"] == row["read_version"] for row in rows)
    return rows


def test_standing_has_what_a_table_shows(store: Store) -> None:
    run_id = make_run(store, "r", {"x": 1, "seed": 7}, CARBS, state="finished")
    (row,) = read(store)
    assert (row["run_id"], row["state"], row["carbs_state"]) == (run_id, "finished", "success")
    assert (row["objective"], row["cost"]) == (0.5, 10.0)
    assert json.loads(row["parameters"]) == {"x": 3, "seed": 7}
    assert json.loads(row["names"]) == ["x", "seed"]


def test_standing_follows_every_kind_of_change(store: Store) -> None:
    sweep = make_sweep(store, metric={"name": "loss"})
    make_run(store, "r", {"x": 1})
    assert read(store)[0]["objective"] is None
    make_run(store, "r", {"x": 1}, sweep=sweep["name"])
    run_streams.stream(store, "local", "p", "r", {"files": {run_streams.SUMMARY: {"content": ['{"loss": 2, "e": 5}']}}})
    row = read(store)[0]
    assert (row["objective"], row["sweep_id"], row["state"]) == (2.0, sweep["id"], "running")
    run_streams.stream(store, "local", "p", "r", {"complete": True})
    make_run(store, "r", {"x": 9}, state="finished")
    assert read(store)[0]["state"] == "finished"
    assert json.loads(read(store)[0]["parameters"]) == {"x": 9}
    config = {"method": "random", "metric": {"name": "e"}, "parameters": {"x": {"values": [1, 2]}}}
    sweeps.upsert(store, {"id": global_id("Sweep", sweep["id"]), "config": json.dumps(config)})
    assert read(store)[0]["objective"] == 5.0
    runs.delete(store, global_id("Run", row["run_id"]))
    assert read(store) == []


def test_unchanged_runs_are_not_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        make_run(store, f"r{number}", {"x": number}, CARBS)
    read(store)
    make_run(store, "r1", {"x": 1}, CARBS)  # said again
    make_run(store, "r2", {"x": 5}, CARBS)
    seen: list[str] = []

    def note(row: Any, goal: Any) -> Any:
        seen.append(row["name"])
        return read_run(row, goal)

    monkeypatch.setattr(standings, "read_run", note)
    read(store)
    assert seen == ["r2"]


def test_run_that_changes_while_it_is_read_is_read_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(store, "r", {"x": 1}, CARBS)

    def change(row: Any, goal: Any) -> Any:
        monkeypatch.undo()
        make_run(store, "r", {"x": 1}, {**CARBS, "carbs.objective": 9.0})
        return read_run(row, goal)

    monkeypatch.setattr(standings, "read_run", change)
    standings.refresh(store, 1)
    assert read(store)[0]["objective"] == 9.0


def test_many_runs_are_read_in_parts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standings, "_AT_ONCE", 2)
    for number in range(5):
        make_run(store, f"r{number}", {}, {**CARBS, "carbs.objective": number})
    assert [row["objective"] for row in read(store)] == [0, 1, 2, 3, 4]


def test_what_sqlite_cannot_read_is_spelled_out(store: Store) -> None:
    make_run(store, "r", {"x": float("nan"), "y": [float("inf")], "z": "\ud83d", "ü": 1}, {"loss": float("nan")})
    (row,) = read(store)
    assert json.loads(row["parameters"]) == {"x": "NaN", "y": ["Infinity"], "z": "?", "ü": 1}
    with store.reading() as db:
        assert db.execute("SELECT json_extract(parameters, '$.y[0]') FROM standings").fetchone()[0] == "Infinity"


def test_long_configuration_is_shortened_for_tables(store: Store) -> None:
    """One run with a million parameters must not break the page of its project."""
    make_run(store, "r", {"long": "x" * 200_000, **{f"p{number}": number for number in range(5_000)}})
    make_run(store, "s", {f"p{number}": number for number in range(1_000)})
    long, short = read(store)
    assert len(long["parameters"]) < 20_000
    assert json.loads(long["parameters"])["p7"] == 7
    assert len(json.loads(long["names"])) == 500
    assert len(json.loads(short["parameters"])) == 1_000


def test_full_disk_leaves_the_rows_as_they_were(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(store, "r", {}, CARBS)
    read(store)
    make_run(store, "r", {}, {**CARBS, "carbs.objective": 9.0})

    def full() -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "transaction", full)
        standings.refresh(store, 1)
    with store.reading() as db:
        assert db.execute("SELECT objective FROM standings").fetchone()[0] == 0.5
    assert read(store)[0]["objective"] == 9.0


def test_reading_ends_with_the_budget(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standings, "_AT_ONCE", 1)
    for number in range(3):
        make_run(store, f"r{number}", {}, CARBS)
    budget = Budget()

    def leave(row: Any, goal: Any) -> Any:
        budget.cancel()
        return read_run(row, goal)

    monkeypatch.setattr(standings, "read_run", leave)
    with pytest.raises(RequestError, match="gone"), spending(budget):
        standings.refresh(store, 1)
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM standings WHERE version = read_version").fetchone()[0] == 1
