"""Alerts that runs send."""

from __future__ import annotations

import pytest

from stored import make_run
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import alerts
from wandb_carbs.server.store.database import Store


def test_alerts_are_kept_the_newest_first(store: Store) -> None:
    run_id = make_run(store, "r")
    place = {"projectName": "p", "runName": "r"}
    alerts.add(store, {**place, "title": "first", "text": "words", "severity": "WARN"})
    alerts.add(store, {**place, "title": "second", "text": None, "severity": None})
    with store.reading() as db:
        found = [(row["title"], row["text"], row["severity"]) for row in alerts.of_run(db, run_id)]
    assert found == [("second", "", "INFO"), ("first", "words", "WARN")]


def test_alert_of_an_unknown_run_is_refused(store: Store) -> None:
    with pytest.raises(RequestError, match="unknown run 'r'") as refused:
        alerts.add(store, {"projectName": "p", "runName": "r", "title": "t"})
    assert refused.value.status == 404
