"""Checkpoints: everything is kept, and no file is ever left half written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from carbs import CARBS, LinearSpace, LogSpace, ObservationInParam, Param, checkpoint

SMALL = [Param("x", LinearSpace(0, 1)), Param("y", LogSpace(1, 100, is_integer=True))]


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
