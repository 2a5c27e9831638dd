"""How far runs have come, and their best values at hyperband's bands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stored import make_run, make_sweep, run_row
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.limits import Budget, spending
from wandb_carbs.server.store import branches, run_streams
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.sweeps import bands
from wandb_carbs.server.sweeps.bands import Bands
from wandb_carbs.server.sweeps.config import Hyperband

BANDS = Hyperband((2, 4), 0.5, strict=False)


def log(store: Store, run: str, offset: int, *values: Any) -> None:
    lines = [json.dumps({"_step": offset + place, "loss": value}) for place, value in enumerate(values)]
    run_streams.stream(store, "local", "p", run, {"files": {run_streams.HISTORY: {"offset": offset, "content": lines}}})


@pytest.mark.parametrize("kept_after", [1, 3, 200])
def test_progress_is_that_of_the_whole_history_however_it_came(
    store: Store, monkeypatch: pytest.MonkeyPatch, kept_after: int
) -> None:
    monkeypatch.setattr(bands, "_KEPT_AFTER", kept_after)
    followed = Bands(store, {"name": "loss"}, BANDS)
    values = [5, None, 3, "NaN", 4, float("inf"), 2, 1]
    for place, value in enumerate(values):
        log(store, "r", place, value)
        found = followed.follow(run_row(store))
        numbers = [v for v in values[: place + 1] if isinstance(v, int)]
        assert (found.number, found.best) == (len(numbers), min(numbers))
        assert found.bests == {band: min(numbers[:band]) for band in (2, 4) if len(numbers) >= band}


def test_more_is_better_when_the_metric_is_maximized(store: Store) -> None:
    log(store, "r", 0, 1, 5, 2)
    found = Bands(store, {"name": "loss", "goal": "maximize"}, BANDS).follow(run_row(store))
    assert found.best == -5
    assert found.bests == {2: -5}


def test_other_metric_or_bands_begin_anew(store: Store) -> None:
    log(store, "r", 0, 1, 2, 3, 4)
    Bands(store, {"name": "loss"}, BANDS).follow(run_row(store))
    assert Bands(store, {"name": "_step"}, BANDS).follow(run_row(store)).bests == {2: 0, 4: 0}
    assert Bands(store, {"name": "loss"}, Hyperband((3,), 0.5, strict=False)).follow(run_row(store)).bests == {3: 1}


def test_others_are_those_that_have_reached_the_band(store: Store) -> None:
    sweep = make_sweep(store)["name"]
    for number, values in enumerate([(3, 2), (5,), (1, 4, 0, 0), ("x", "y", "z")]):
        make_run(store, f"r{number}", sweep=sweep)
        log(store, f"r{number}", 0, *values)
    log(store, "beside", 0, 9, 9)
    followed = Bands(store, {"name": "loss"}, BANDS)
    followed.follow(run_row(store, "r2"))  # the others are caught up
    assert sorted(followed.others(run_row(store, "r1"), 2)) == [1, 2]
    assert followed.others(run_row(store, "r0"), 4) == [0]


def test_catching_up_ends_with_the_budget_and_goes_on_the_next_time(store: Store) -> None:
    sweep = make_sweep(store)["name"]
    for number in range(3):
        make_run(store, f"r{number}", sweep=sweep)
        log(store, f"r{number}", 0, number, number)
    followed = Bands(store, {"name": "loss"}, BANDS)
    for _ in range(2):
        with spending(Budget()) as budget:
            budget.cancel()
            with pytest.raises(RequestError, match="gone"):
                followed.others(run_row(store, "r0"), 2)
    assert followed.others(run_row(store, "r0"), 2) == [1, 2]


@pytest.mark.parametrize("kept_after", [1, 200])
def test_run_that_begins_anew_is_judged_by_what_it_logs_since(
    store: Store, monkeypatch: pytest.MonkeyPatch, kept_after: int
) -> None:
    """A process that does not resume the run adds lines behind those of the one before, with steps from zero."""
    monkeypatch.setattr(bands, "_KEPT_AFTER", kept_after)
    followed = Bands(store, {"name": "loss"}, BANDS)
    log(store, "r", 0, 1, 1, 1)
    assert followed.follow(run_row(store)).bests == {2: 1}
    found = []
    for step, value in enumerate([9, 8, 7, 9]):
        line = json.dumps({"_step": step, "loss": value})
        stream = {run_streams.HISTORY: {"offset": 3 + step, "content": [line]}}
        run_streams.stream(store, "local", "p", "r", {"files": stream})
        found.append(followed.follow(run_row(store)))
    assert [progress.bests for progress in found] == [{}, {2: 8}, {2: 8}, {2: 8, 4: 7}]
    assert [(progress.number, progress.best, progress.is_anew) for progress in found] == [
        (1, 9, True),
        (2, 8, False),
        (3, 7, False),
        (4, 7, False),
    ]
    assert Bands(store, {"name": "loss", "goal": "maximize"}, BANDS).follow(run_row(store)).bests == {2: -9, 4: -9}


def test_rewound_run_is_read_again(store: Store) -> None:
    log(store, "r", 0, 1, 9, 9)
    followed = Bands(store, {"name": "loss"}, BANDS)
    assert followed.follow(run_row(store)).bests == {2: 1}
    place = {"entityName": "local", "projectName": "p", "runName": "r"}
    branches.rewind(store, {**place, "metricName": "_step", "metricValue": -1})
    log(store, "r", 0, 7, 8)
    assert followed.follow(run_row(store)).bests == {2: 7}
