"""Tables of runs by SQL agree with their definitions, worked out run by run."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run, make_sweep
from wandb_carbs.figures.frontier import Point, members
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.sweeps import run_tables, standings
from wandb_carbs.server.sweeps.run_tables import Scope, Search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Open a storage for all tests of this module, which only read."""
    store = Store(tmp_path_factory.mktemp("store") / "db")
    yield store
    store.close()


@pytest.fixture(scope="module")
def sweep(store: Store) -> Any:
    """Make a sweep of runs whose objectives and costs often agree, and runs beside it."""
    with store.transaction():
        return fill(store)


def fill(store: Store) -> Any:
    sweep = make_sweep(store, metric={"name": "loss"})
    rng = random.Random(0)
    for number in range(60):
        objective, cost = rng.choice([*range(2, 20), float("nan")]), rng.randrange(2, 8)
        record = {"carbs.state": rng.choice(["success", "failure", "running"])}
        summary = {**record, "carbs.objective": objective, "carbs.cost": cost}
        if number % 3 == 0:
            summary = {"loss": objective, "_runtime": cost}
        state = "finished" if number % 5 else "running"
        make_run(
            store, f"r{number}", {"x": number % 7, "name": f"Run {number}"}, summary, state=state, sweep=sweep["name"]
        )
    for number, (objective, cost) in enumerate([(30, 1), (40, 9), (10, 1), (0, 9), (1, 0)], start=60):
        summary = {"carbs.state": "success", "carbs.objective": objective, "carbs.cost": cost}
        make_run(store, f"r{number}", {"x": 8}, summary, state="finished", sweep=sweep["name"])
    make_run(store, "beside", {"y": 1}, {"loss": 1})
    make_run(store, sweep["name"], {"z": 1})  # a scheduler shows itself so
    standings.refresh(store, sweep["project_id"])
    return sweep


def all_rows(store: Store, sweep: Any) -> list[Any]:
    with store.reading() as db:
        return run_tables.page(db, Scope(sweep["project_id"], sweep["id"]), Search(), start=0, size=1000)[0]


def observed(store: Store, sweep: Any) -> list[Any]:
    """Return the rows that count, the oldest first."""
    found = [row for row in all_rows(store, sweep)[::-1] if row.counts]
    assert 10 < len(found) < 50
    return found


def test_run_counts_by_its_record_or_without_one_by_its_state(store: Store, sweep: Any) -> None:
    for row in all_rows(store, sweep):
        by_record = row.carbs_state == "success" or (not row.carbs_state and row.state == "finished")
        assert row.counts == (by_record and row.objective is not None and (row.cost or 0) > 0)


def test_counts_are_those_of_all_runs(store: Store, sweep: Any) -> None:
    counted = observed(store, sweep)
    with store.reading() as db:
        own = run_tables.counts(db, Scope(sweep["project_id"], sweep["id"]))
        project = run_tables.counts(db, Scope(sweep["project_id"]))
    assert (own.total, own.alive, own.waiting) == (65, 12, 0)
    assert own.states == {"finished": 53, "running": 12}
    # Whatever W&B says, a run whose outcome is recorded does not run.
    rows = [row for row in all_rows(store, sweep) if row.state == "running"]
    settled = [row for row in rows if row.carbs_state in {"success", "failure"}]
    assert own.running == project.running - 1 == len(rows) - len(settled)
    assert 0 < len(settled) < len(rows)
    assert own.counted == len(counted)
    assert own.observed == sum(row.carbs_state == "success" for row in counted)
    assert own.unsuggested == own.counted - own.observed > 0
    assert own.spent == pytest.approx(sum(row.cost for row in counted))
    assert project.total == 66  # without the scheduler's own


@pytest.mark.parametrize("maximize", [False, True])
def test_frontier_is_that_of_all_observations(store: Store, sweep: Any, maximize: bool) -> None:
    rows = observed(store, sweep)
    wanted = members([Point(row.name, row.cost, row.objective) for row in rows], maximize=maximize)
    with store.reading() as db:
        found = run_tables.frontier(db, sweep["id"], maximize=maximize)
    assert [row.name for row in found] == [point.name for point in wanted]
    assert len(found) > 1


@pytest.mark.parametrize("maximize", [False, True])
def test_progress_has_every_change_of_the_best_and_the_end(store: Store, sweep: Any, maximize: bool) -> None:
    spent, best, wanted = 0.0, None, []
    rows = observed(store, sweep)
    for row in rows:
        spent += row.cost
        if best is None or (row.objective > best if maximize else row.objective < best):
            best = row.objective
            wanted.append((spent, best))
        elif row is rows[-1]:
            wanted.append((spent, best))
    with store.reading() as db:
        assert run_tables.progress(db, sweep["id"], maximize=maximize) == wanted


def test_sample_is_even_and_whole_when_it_fits(store: Store, sweep: Any) -> None:
    names = [row.name for row in observed(store, sweep)]
    with store.reading() as db:
        few = [row.name for row in run_tables.sample(db, sweep["id"], 5)]
        assert [row.name for row in run_tables.sample(db, sweep["id"], len(names))] == names
    places = [names.index(name) for name in few]
    gaps = [b - a for a, b in itertools.pairwise(places)]
    assert len(few) == 5
    assert max(gaps) - min(gaps) <= 1


def test_best_runs_come_by_their_objectives(store: Store, sweep: Any) -> None:
    rows = observed(store, sweep)
    with store.reading() as db:
        found = run_tables.best_runs(db, sweep["id"], 7, maximize=True)
    assert [row.objective for row in found] == sorted((row.objective for row in rows), reverse=True)[:7]


def test_names_of_parameters_begin_with_the_newest_runs(store: Store, sweep: Any) -> None:
    with store.reading() as db:
        assert run_tables.parameter_names(db, Scope(1, sweep["id"])) == ["x", "name"]
        assert run_tables.parameter_names(db, Scope(1)) == ["y", "x", "name"]


def test_names_have_a_limit(store: Store, sweep: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_tables, "_MOST_NAMES", 2)
    with store.reading() as db:
        assert run_tables.parameter_names(db, Scope(sweep["project_id"])) == ["y", "x"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("objective", lambda row: row.objective),
        ("cost", lambda row: row.cost),
        ("state", lambda row: row.state),
        ("carbs.state", lambda row: row.carbs_state or None),
        ("run", lambda row: row.title),
        ("created", lambda row: row.created_at),
        ("x", lambda row: row.config["x"]),
    ],
)
def test_page_is_sorted_and_runs_without_the_value_come_last(
    store: Store, sweep: Any, column: str, value: Any, descending: bool
) -> None:
    newest_first = all_rows(store, sweep)
    held = [row for row in newest_first if value(row) is not None]
    wanted = sorted(held, key=value, reverse=descending) + [row for row in newest_first if value(row) is None]
    with store.reading() as db:
        rows, found = run_tables.page(
            db, Scope(1, sweep["id"]), Search(sort=column, descending=descending), start=20, size=20
        )
    assert found == 65
    assert [row.name for row in rows] == [row.name for row in wanted[20:40]]


def test_parameters_of_any_name_and_kind_are_sorted(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")
    key = "a'; DROP TABLE runs; --\" $.[0] ü"
    for name, value in {"number": 2, "text": "b", "truth": True, "list": [1], "null": None, "half": 0.5}.items():
        make_run(store, name, {key: value})
    make_run(store, "none", {})
    standings.refresh(store, 1)
    with store.reading() as db:
        rows, _ = run_tables.page(db, Scope(1), Search(sort=key), start=0, size=10)
    assert [row.name for row in rows] == ["half", "truth", "number", "list", "text", "none", "null"]
    store.close()


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (Search(text="RUN 17"), ["r17"]),
        (Search(text="r59"), ["r59"]),
        (Search(text="%"), []),
        (Search(state="'"), []),
    ],
)
def test_search_looks_at_names_and_parameters(store: Store, sweep: Any, search: Search, found: list[str]) -> None:
    with store.reading() as db:
        rows, number = run_tables.page(db, Scope(1, sweep["id"]), search, start=0, size=100)
    assert [row.name for row in rows] == found
    assert number == len(found)


@pytest.mark.parametrize("state", ["running", "failure", "finished"])
def test_state_is_looked_for_in_wandb_and_in_the_search(store: Store, sweep: Any, state: str) -> None:
    wanted = [row.name for row in all_rows(store, sweep) if state in {row.state, row.carbs_state}]
    with store.reading() as db:
        rows, number = run_tables.page(db, Scope(1, sweep["id"]), Search(state=state), start=0, size=100)
    assert [row.name for row in rows] == wanted
    assert 0 < number == len(wanted) < 65


def test_page_behind_the_last_is_the_last(store: Store, sweep: Any) -> None:
    with store.reading() as db:
        rows, _ = run_tables.page(db, Scope(1, sweep["id"]), Search(), start=1000, size=25)
        nothing = run_tables.page(db, Scope(1, sweep["id"]), Search(text="nosuch"), start=50, size=25)
    assert [row.name for row in rows] == [f"r{number}" for number in range(14, -1, -1)]
    assert nothing == ([], 0)
