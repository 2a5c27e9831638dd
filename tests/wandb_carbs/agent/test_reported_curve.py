"""The points that a program reports of its run: kept, given to the SDK, and held against the run's end."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from carbs import CarbsError, LogSpace
from wandb_carbs.agent import reported_curve
from wandb_carbs.agent.reported_curve import ReportedCurve
from wandb_carbs.record import ABANDONED, CURVE_KEY, FAILURE, RUNNING, SUCCESS
from wandb_carbs.sweep.progress import Point

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCHS = LogSpace(2, 100, is_integer=True)


class Publisher:
    """Keep the texts of the points that were given to the SDK."""

    def __init__(self) -> None:
        self.record = SimpleNamespace(name="bold-sun-1")
        self.left: list[Any] = []

    def leave(self, keys: Mapping[str, Any]) -> None:
        self.left.append(json.loads(keys[CURVE_KEY]))


def curve_to(end: float, *points: Point, publisher: Publisher | None = None, space: LogSpace = EPOCHS) -> ReportedCurve:
    written: Any = Publisher() if publisher is None else publisher
    return ReportedCurve(written, "epochs", space, {"epochs": end}, points)


def recorded(curve: ReportedCurve) -> Any:
    return json.loads(curve.keys(is_whole=True)[CURVE_KEY])


def test_a_program_reports_its_way_from_where_it_had_come() -> None:
    curve = curve_to(50, Point(2, 0.9, 1.0))
    assert all(curve.add(epoch, 1 / epoch, 2.0 * epoch, is_given=True) for epoch in (3, 4))
    # Its end, which is an observation of its own; its beginning; and no value of the space.
    for progress, cost in ((50, 100.0), (0, 0.5), (2.5, 5.0)):
        assert not curve.add(progress, 0.5, cost, is_given=True)
    assert recorded(curve) == [[2, 0.9, 1.0], [3, 1 / 3, 6.0], [4, 0.25, 8.0]]
    curve.end_at({"epochs": 4})
    assert recorded(curve) == [[2, 0.9, 1.0], [3, 1 / 3, 6.0]]


@pytest.mark.parametrize("progress", [-1, 51, float("nan")])
def test_a_point_beyond_the_run_itself_is_refused(progress: float) -> None:
    with pytest.raises(CarbsError, match="must be between 0 and 50, which is 'epochs' of this run"):
        curve_to(50).add(progress, 0.5, 1.0, is_given=True)


def test_the_end_of_a_run_is_no_point_on_its_way_however_it_is_rounded() -> None:
    end = 1234567.8912345678
    curve = curve_to(end, space=LogSpace(1, 1e9))
    assert not curve.add(end, 0.5, 1.0, is_given=True)
    assert not curve.add(end * (1 - 1e-12), 0.5, 1.0, is_given=True)
    assert curve.keys(is_whole=True) == {}


def test_costs_that_contradict_each_other_are_those_of_no_point(caplog: pytest.LogCaptureFixture) -> None:
    """It is said once: a program reports many points."""
    curve = curve_to(50, Point(5, 0.9, 100.0))
    assert not curve.add(6, 0.8, 50.0, is_given=True)
    assert curve.add(7, 0.8, 110.0, is_given=True)
    assert not curve.add(8, 0.8, 120.0, is_given=False)
    assert [point[0] for point in recorded(curve)] == [5, 7]
    assert "left out, since its cost was 100 at epochs=5, and is 50 at epochs=6" in caplog.text
    assert "some of its costs are given" not in caplog.text


def test_seconds_among_costs_that_are_given_are_those_of_no_point(caplog: pytest.LogCaptureFixture) -> None:
    curve = curve_to(50)
    assert curve.add(6, 0.8, 50.0, is_given=True)
    assert not curve.add(7, 0.8, 120.0, is_given=False)
    assert "left out, since some of its costs are given, and some are seconds" in caplog.text


def test_an_end_that_contradicts_the_way_forgets_it(caplog: pytest.LogCaptureFixture) -> None:
    curve = curve_to(50, Point(5, 0.9, 100.0))
    curve.close(100.0, is_given=True)
    assert recorded(curve) == [[5, 0.9, 100.0]]
    curve.close(90.0, is_given=True)
    assert "nothing is learnt from its way, since its cost was 100 at epochs=5, and is 90 at epochs=50" in caplog.text
    # Those of an earlier start are in the run's record, where they must not stay.
    assert recorded(curve) == []


def test_a_run_that_begins_anew_replaces_its_points_with_their_costs() -> None:
    curve = curve_to(50, Point(2, 0.9, 60.0), Point(3, 0.9, 100.0))
    costs = {2: 6.0, 3: 10.0, 4: 14.0}
    assert all(curve.add(epoch, 0.5, cost, is_given=False) for epoch, cost in costs.items())
    assert {place: cost for place, _, cost in recorded(curve)} == costs


def test_points_of_a_running_run_are_given_to_the_sdk_from_time_to_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(reported_curve, "time", SimpleNamespace(monotonic=lambda: now[0]))
    publisher = Publisher()
    curve = curve_to(50, publisher=publisher)
    for epoch, seconds in ((2, 0), (3, 14), (4, 2), (5, 1)):
        now[0] += seconds
        curve.add(epoch, 0.5, 1.0, is_given=True)
        curve.leave(RUNNING)
    assert [[place for place, _, _ in points] for points in publisher.left] == [[2], [2, 3, 4]]


@pytest.mark.parametrize("state", [FAILURE, ABANDONED])
def test_points_after_a_failure_are_given_to_the_sdk_at_once(state: str) -> None:
    publisher = Publisher()
    curve = curve_to(50, publisher=publisher)
    for epoch in (2, 3):
        curve.add(epoch, 0.5, 1.0, is_given=True)
        curve.leave(state)
    assert [len(points) for points in publisher.left] == [1, 2]


def test_points_after_the_observation_wait_for_another_one_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    publisher = Publisher()
    curve = curve_to(50, publisher=publisher)
    for epoch in (2, 3):
        curve.add(epoch, 0.5, 1.0, is_given=True)
        curve.leave(SUCCESS)
    assert publisher.left == []
    assert (
        caplog.text.count("bold-sun-1 has recorded its observation: points that it reports after it go out only") == 1
    )
    assert len(recorded(curve)) == 2
