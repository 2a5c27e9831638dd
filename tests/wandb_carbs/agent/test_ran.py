"""A configuration that was run instead of the suggestion replaces it in the record."""

from __future__ import annotations

import json

import pytest

from carbs import CarbsError, LogSpace, Param, SearchSpace
from wandb_carbs.agent.ran import run_instead
from wandb_carbs.agent.suggestion import Suggestion, Translation
from wandb_carbs.record import CHANGES_KEY, CONFIG_KEY, PREDICTED_OBJECTIVE_KEY, SUGGESTION_KEY

SPACE = SearchSpace((Param("lr", LogSpace(1e-4, 1e-1)), Param("epochs", LogSpace(1, 100, is_integer=True))))
TAKEN = Suggestion({"lr": 0.01, "epochs": 50}, {"lr": 0.01, "epochs": 50})


def test_what_was_run_is_recorded_and_nothing_was_predicted_of_it() -> None:
    instead = run_instead(SPACE, TAKEN, {"epochs": 20}, Translation(), "r")
    assert instead.point == {"lr": 0.01, "epochs": 20}
    assert json.loads(instead.keys[SUGGESTION_KEY]) == instead.point
    assert (instead.keys[CHANGES_KEY], instead.keys[PREDICTED_OBJECTIVE_KEY]) == ("", None)
    assert CONFIG_KEY not in instead.keys
    assert instead.changed == {"epochs": 20}


def test_the_runs_configuration_is_made_of_it() -> None:
    doubled = Translation(to_config=lambda point: {"lr": point["lr"], "steps": 2 * int(str(point["epochs"]))})
    taken = Suggestion(TAKEN.point, {"lr": 0.01, "steps": 100})
    instead = run_instead(SPACE, taken, {"epochs": 20}, doubled, "r")
    assert instead.changed == {"steps": 40}
    assert json.loads(instead.keys[CONFIG_KEY]) == {"lr": 0.01, "steps": 40}


def test_what_is_not_in_the_search_space_is_refused() -> None:
    with pytest.raises(CarbsError, match="epochs"):
        run_instead(SPACE, TAKEN, {"epochs": 200}, Translation(), "r")
