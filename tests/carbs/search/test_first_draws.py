"""The first draws, before the models suggest, and where they cannot."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from carbs import CARBS, CARBSParams, LinearSpace, LogSpace, ObservationInParam, Param
from carbs.models.surrogate import Surrogate

CENTERED = [Param("x", LinearSpace(0, 1), 0.5), Param("y", LogSpace(1, 100, is_integer=True), 10)]


@pytest.mark.parametrize("wanted", [1, 9], ids=["the model's turn", "first draws"])
def test_a_fit_that_fails_is_tried_and_logged_once(
    wanted: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fits = []

    def fail(*_: object) -> None:
        fits.append(1)
        raise np.linalg.LinAlgError("singular")

    carbs = CARBS(CARBSParams(num_random_samples=wanted), CENTERED)
    for i in range(3):
        carbs.observe(ObservationInParam({"x": i / 3, "y": 1 + i}, float(i), 1.0))
    monkeypatch.setattr(Surrogate, "fit", fail)
    log = carbs.suggest().log
    assert log["kind"] == "random"
    assert ("singular" in log["reason"]) == (wanted == 1)
    assert len(fits) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "singular" in caplog.text
