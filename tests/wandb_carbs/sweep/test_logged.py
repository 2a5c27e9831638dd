"""A number of a run is read as the sweep says, be it in the summary or in the history alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wandb_carbs.errors import WandbConnectionError
from wandb_carbs.record import BEFORE_KEY, RunRecord
from wandb_carbs.sweep.logged import Course, LoggedWay, Passed, read_number
from wandb_carbs.sweep.reading import Reading

NAN = float("nan")


def record_of(summary: dict[str, Any], rows: list[dict[str, Any]]) -> RunRecord:
    def scan_history(keys: list[str], _: int) -> list[dict[str, Any]]:
        return [{key: row[key] for key in keys if key in row} for row in rows if keys[0] in row]

    return RunRecord("r", "r", "finished", None, None, {}, summary, SimpleNamespace(scan_history=scan_history))


def points(*losses: Any, start: float = 0.0, step: int = 0) -> list[dict[str, Any]]:
    return [{"loss": loss, "_step": step + i, "_timestamp": start + i} for i, loss in enumerate(losses)]


@pytest.mark.parametrize(
    ("reading", "summary", "rows", "objective"),
    [
        (Reading("loss"), {"loss": 0.5}, points(9.0), 0.5),
        (Reading("loss"), {"loss": "NaN"}, [], NAN),
        (Reading("loss"), {"loss": "Infinity"}, [], float("inf")),
        (Reading("loss"), {"loss": True}, [], None),
        (Reading("loss"), {"loss": "low"}, [], None),
        (Reading("loss"), {"loss": {"min": 0.1, "last": 0.3}}, [], 0.3),
        (Reading("loss"), {"loss": {"min": 0.1}}, [], 0.1),
        (Reading("train.loss"), {"train": {"loss": 0.5}}, [], 0.5),
        (Reading("train.loss"), {"train.loss": 0.4, "train": {"loss": 0.5}}, [], 0.4),
        (Reading("loss"), {"loss": {"min": 0.1, "max": 0.9}}, points(0.9, 0.1, 0.3), 0.1),
        (Reading("loss"), {"loss": {"min": "NaN"}}, points(0.9, "NaN", 0.3, 0.4), 0.3),
        (Reading("loss"), {"loss": {"min": "NaN", "max": "NaN"}}, points("NaN", "NaN"), NAN),
        (Reading("loss"), {"loss": {"best": "-Infinity"}}, points("-Infinity", 0.3), 0.3),
        (Reading("loss"), {"loss": {"min": "NaN"}}, [], NAN),
        (Reading("loss"), {"loss": {"min": 0.1, "last": "NaN"}}, points(0.1, "NaN"), NAN),
        (Reading("loss"), {"loss": {"mean": 0.5, "first": 0.9}}, points(0.9, 0.1, 0.3), 0.3),
        (Reading("loss"), {"loss": {"max": 0.9}}, points(0.9, 0.1, 0.3), 0.3),
        (Reading("loss"), {"loss": {"mean": 0.5}}, [], 0.5),
        (Reading("loss.mean"), {"loss": {"mean": 0.5}}, points(0.9, 0.1), 0.5),
        (Reading("loss"), {"loss": {"other": 0.1}}, [], None),
        (Reading("loss"), {"test_loss": 0.7}, points(9.0, 8.0), 8.0),
        (Reading("loss"), {}, [], None),
        (Reading("loss", "best"), {"loss": 9.0}, points(3.0, 1.0, "NaN", 2.0), 1.0),
        (Reading("loss", "best"), {}, points("NaN", "NaN"), NAN),
        (Reading("loss", "best"), {"loss": 9.0}, [], 9.0),
        (Reading("loss", "mean", 2), {}, points(9.0, 1.0, 2.0), 1.5),
        (Reading("loss", "mean", 5), {}, points(1.0, 2.0), 1.5),
        (Reading("loss", "mean", 2), {}, points(1.0, "NaN"), NAN),
    ],
)
def test_the_objective_is_read_as_the_sweep_says(
    reading: Reading, summary: dict[str, Any], rows: list[dict[str, Any]], objective: float | None
) -> None:
    read = read_number(reading, record_of(summary, rows), maximize=False)
    assert read == pytest.approx(objective, nan_ok=True)


@pytest.mark.parametrize(
    ("step", "best"),
    [pytest.param(0, 4.0, id="begun anew"), pytest.param(2, 1.0, id="gone on from a checkpoint")],
)
def test_points_from_before_a_new_start_count_only_where_training_goes_on(step: int, best: float) -> None:
    rows = [*points(9.0, 1.0, start=100.0), *points(5.0, 4.0, start=200.0, step=step)]
    record = record_of({BEFORE_KEY: 101.0}, rows)
    assert read_number(Reading("loss", "best"), record, maximize=False) == best


@pytest.mark.parametrize("how", ["last", "best"])
def test_only_old_points_are_no_outcome(how: str) -> None:
    record = record_of({BEFORE_KEY: 101.0}, points(9.0, 1.0, start=100.0))
    assert read_number(Reading("loss", how), record, maximize=False) is None


def test_a_history_that_cannot_be_read_is_an_error_that_an_agent_waits_out() -> None:
    def scan_history(*_: Any) -> Any:
        raise ConnectionError("the network is down")

    record = RunRecord("r", "run-1", "finished", None, None, {}, {}, SimpleNamespace(scan_history=scan_history))
    with pytest.raises(WandbConnectionError, match="could not read the history of run run-1"):
        read_number(Reading("loss"), record, maximize=False, limit=0.0)


def way_of(
    rows: list[dict[str, Any]], how: str = "last", count: int = 1, cost: str = "", **summary: Any
) -> dict[float, Passed]:
    reading = Reading("loss", how, count)
    way = LoggedWay(
        record_of(summary, rows), "epoch", reading, Reading(cost) if cost else None, maximize=False, limit=0.0
    )
    return {value: way.at(value) for value in way.course.times}


def epochs(*losses: Any, start: float = 0.0, step: int = 0) -> list[dict[str, Any]]:
    return [{**row, "epoch": place + 1} for place, row in enumerate(points(*losses, start=start, step=step))]


@pytest.mark.parametrize(
    ("how", "count", "losses"),
    [("last", 1, [3.0, 1.0, 2.0]), ("best", 1, [3.0, 1.0, 1.0]), ("mean", 2, [3.0, 2.0, 1.5])],
)
def test_each_point_of_a_way_counts_as_if_the_run_had_ended_there(how: str, count: int, losses: list[float]) -> None:
    way = way_of(epochs(3.0, 1.0, 2.0), how, count)
    assert way == {place + 1.0: Passed(loss, None) for place, loss in enumerate(losses)}


def test_rows_between_the_points_of_a_way_count_and_of_two_at_one_place_the_last() -> None:
    rows = [{"loss": 9.0, "_step": 0}, {"loss": 4.0, "epoch": 1, "_step": 1}, {"loss": 0.5, "_step": 2}]
    rows += [{"loss": 3.0, "epoch": 1, "_step": 3}, {"loss": 0.1, "_step": 4}, {"epoch": 2, "_step": 5}]
    assert way_of(rows) == {1.0: Passed(3.0, None)}
    assert way_of(rows, "best") == {1.0: Passed(0.5, None)}
    assert way_of(rows, "mean", 2) == {1.0: Passed(1.75, None)}


def test_the_cost_of_a_point_is_the_one_that_was_logged_until_then() -> None:
    rows = epochs(3.0, 2.0, "NaN")
    rows[1]["tokens"] = 100
    rows.append({"tokens": 200, "_step": 3})
    way = way_of(rows, cost="tokens")
    assert [passed.cost for passed in way.values()] == [None, 100.0, 100.0]
    assert way[2.0].objective == 2.0
    assert way[3.0].objective != way[3.0].objective


def test_a_way_has_times_and_leaves_out_a_training_that_was_begun_anew() -> None:
    rows = [*epochs(9.0, 1.0, start=100.0), *epochs(5.0, start=200.0)]
    record = record_of({BEFORE_KEY: 101.0}, rows)
    way = LoggedWay(record, "epoch", Reading("loss"), None, maximize=False)
    assert (way.course.times, way.at(1.0)) == ({1.0: 200.0}, Passed(5.0, None))
    assert way_of([{"loss": 1.0, "_step": 0}], "best", cost="tokens") == {}


@pytest.mark.parametrize(
    ("kept", "losses"),
    [
        ({"min": 1.0}, [3.0, 1.0, 1.0]),
        ({"min": 1.0, "max": 3.0}, [3.0, 1.0, 1.0]),
        ({"last": 2.0, "min": 1.0}, [3.0, 1.0, 2.0]),
        ({"max": 3.0}, [3.0, 1.0, 2.0]),
        (2.0, [3.0, 1.0, 2.0]),
    ],
)
def test_a_point_counts_by_what_define_metric_keeps_as_the_end_does(kept: Any, losses: list[float]) -> None:
    rows = epochs(3.0, 1.0, 2.0)
    assert [passed.objective for passed in way_of(rows, loss=kept).values()] == losses
    assert read_number(Reading("loss"), record_of({"loss": kept}, rows), maximize=False) == losses[-1]


def test_a_course_says_whether_it_repeats_a_value_or_goes_back_within_a_start() -> None:
    def course_of(epochs: list[int], times: list[float] | None = None, **summary: Any) -> Course:
        rows = [
            {"loss": 1.0, "epoch": epoch, "_step": step, "_timestamp": (times or range(99))[step]}
            for step, epoch in enumerate(epochs)
        ]
        return LoggedWay(record_of(summary, rows), "epoch", Reading("loss"), None, maximize=False).course

    assert course_of([1, 2, 3]) == Course({1: 0, 2: 1, 3: 2})
    assert course_of([1, 1, 2]) == Course({1: 1, 2: 2}, is_repeated=True)
    assert course_of([1, 2, 1, 2]) == Course({1: 2, 2: 3}, is_repeated=True, goes_back=True)
    # It was started again from a checkpoint after the first epoch.
    assert course_of([1, 2, 2, 3], [0, 1, 101, 102], **{BEFORE_KEY: 1.0}) == Course({1: 0, 2: 101, 3: 102})
