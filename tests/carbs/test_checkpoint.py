"""Checkpoints: everything is kept, and no file is ever left half written."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from carbs import (
    CARBS,
    CarbsError,
    CARBSParams,
    ObservationInParam,
    ParamDict,
    checkpoint,
)
from searches import PARAMS, SMALL, nested, run


def test_a_failures_cost_is_kept(tmp_path: Path) -> None:
    carbs = CARBS(params=SMALL)
    carbs.observe(ObservationInParam({"x": 0.5, "y": 3}, cost=7.5, is_failure=True))
    carbs.save(tmp_path / "carbs.json")
    assert [run.cost for run in CARBS.load(tmp_path / "carbs.json").failure_observations] == [7.5]


def test_a_checkpoint_from_before_costs_of_failures_were_kept_is_read(tmp_path: Path) -> None:
    carbs = CARBS(params=SMALL)
    carbs.observe(ObservationInParam({"x": 0.5, "y": 3}, cost=7.5, is_failure=True))
    path = tmp_path / "carbs.json"
    carbs.save(path)
    path.write_text(path.read_text().replace('"cost": 7.5', '"other": 0'))
    assert [run.cost for run in CARBS.load(path).failure_observations] == [1.0]


def test_runs_of_a_sweep_are_known_again_after_loading(tmp_path: Path) -> None:
    """The sweep is read again by whoever loads the checkpoint; none of its runs may count twice."""
    point: ParamDict = {"x": 0.5, "y": 3}
    runs = {"a": ObservationInParam(point, 1.0, 2.0), "b": ObservationInParam(point, is_failure=True)}
    carbs = CARBS(params=SMALL)
    carbs.observe(ObservationInParam(point, 7.0, 1.0))
    carbs.synchronize("sweep", runs, {"c": point, "d": None})
    carbs.save(tmp_path / "carbs.json")
    loaded = CARBS.load(tmp_path / "carbs.json")
    loaded.synchronize("sweep", runs, {"c": point})
    assert [run.output for run in loaded.success_observations] == [7.0, 1.0]
    assert len(loaded.failure_observations) == 1
    assert list(loaded.outstanding_suggestions) == ["c"]
    loaded.synchronize("sweep", {}, {})
    assert [run.output for run in loaded.success_observations] == [7.0]
    assert not loaded.failure_observations
    assert not loaded.outstanding_suggestions


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_an_error_leaves_the_old_file_and_no_other(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "carbs.json"
    path.write_text("old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os if failing == "fsync" else Path, failing, fail)
    with pytest.raises(OSError, match="disk full"):
        CARBS(params=SMALL).save(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_process_do_not_share_their_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "carbs.json"
    written: set[str] = set()
    fsync = os.fsync

    def meanwhile(number: int) -> None:
        written.update(file.name for file in tmp_path.iterdir())
        if len(written) == 1:  # in the middle of the first writing comes the second
            checkpoint.write(path, "second")
        fsync(number)

    monkeypatch.setattr(os, "fsync", meanwhile)
    checkpoint.write(path, "first")
    assert path.read_text() == "first"
    assert len(written - {path.name}) == 2


def test_checkpoints_keep_everything_and_are_json(tmp_path: Path) -> None:
    carbs = CARBS(CARBSParams(better_direction_sign=-1, max_suggestion_cost=50.0), PARAMS)
    rng = random.Random(4)
    run(carbs, 7, lambda _: (rng.random(), 1 + rng.random()))
    way = [ObservationInParam(carbs.suggest(is_suggestion_remembered=False).suggestion, 0.5, 1.0)]
    carbs.observe(ObservationInParam(carbs.suggest().suggestion, is_failure=True, points=way))
    carbs.observe(ObservationInParam(carbs.suggest().suggestion, 0.25, 2.0, points=way))
    carbs.suggest("waiting")
    path = tmp_path / "carbs.json"
    carbs.save(path)
    again = CARBS.load(path)
    assert json.loads(path.read_text())["schema_version"] == 1
    assert again.config == carbs.config
    assert again.params == carbs.params
    assert again.success_observations == carbs.success_observations
    assert [o.input for o in again.failure_observations] == [o.input for o in carbs.failure_observations]
    assert again.failure_observations[0].points == carbs.failure_observations[0].points != ()
    assert again.outstanding_suggestions == carbs.outstanding_suggestions
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema_version": 2}',
        '{"schema_version": 1, "params": 3, "config": {}}',
        '{"schema_version": 1, "params": "abc", "config": {}}',
        "\x00\xff\xfe",
        "9" * 5000,
        "[" * 100_000,
        '{"schema_version":' + "[" * 900 + "]" * 900 + "}",
    ],
    ids=lambda text: text[:20],
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "carbs.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CarbsError, match="not a"):
        CARBS.load(path)


@pytest.mark.parametrize("member", ["params", "config", "successes", "failures", "outstanding"])
@pytest.mark.parametrize("bad", [None, 5, "text", [5], [[]], {"a": 5}, {"self": 1}, [{}], [{"input": 5}], nested(500)])
def test_a_checkpoint_with_a_member_of_the_wrong_type_is_refused(tmp_path: Path, member: str, bad: Any) -> None:
    path = tmp_path / "carbs.json"
    CARBS(params=SMALL).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), member: bad}))
    with pytest.raises(CarbsError):
        CARBS.load(path)
