"""The search of a sweep, as it is kept in the sweep's description."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from carbs import CarbsError, CARBSParams, LogSpace, ObservationInParam, Param
from wandb_carbs.sweep.definition import SweepDefinition, SweepLabels, definition_of
from wandb_carbs.sweep.progress import Progress
from wandb_carbs.sweep.reading import Reading

PLAIN = SweepDefinition((Param("lr", LogSpace(1e-4, 1e-1)),), CARBSParams(better_direction_sign=-1))
FULL = replace(
    PLAIN,
    metric=Reading("loss", "best"),
    cost=Reading("tokens"),
    passes_arguments=True,
    description="of mine",
    initial=({"lr": 0.01},),
    is_valid="rules:fits",
    progress=Progress("lr", "rate", 1),
    old_runs=(
        ObservationInParam({"lr": 0.02}, 1.5, 3.0, is_old=True),
        ObservationInParam({"lr": 0.1}, is_failure=True, is_old=True),
    ),
)


@pytest.mark.parametrize("definition", [PLAIN, FULL], ids=["plain", "full"])
def test_a_definition_is_read_as_it_was_written(definition: SweepDefinition) -> None:
    read = SweepDefinition.from_json(definition.to_json())
    # An observation that failed has no objective: NaN is not equal to itself.
    assert repr(read) == repr(definition)


def test_a_cap_is_doubted_unless_earlier_runs_or_first_ones_say_what_costs() -> None:
    capped = CARBSParams(max_suggestion_cost=60)
    assert "max_suggestion_cost=60" in replace(PLAIN, config=capped).doubt_of_cap
    assert PLAIN.doubt_of_cap == ""
    assert replace(FULL, config=capped).doubt_of_cap == ""
    assert replace(FULL, config=capped, initial=()).doubt_of_cap != ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no CARBS definition"),
        ("[]", "holds no CARBS definition"),
        ('{"carbs": {"schema_version": 99, "params": [], "config": {}}}', "schema version 99"),
        ('{"carbs": {"schema_version": 1, "params": {}, "config": {}}}', "damaged"),
        (PLAIN.to_json()[:-2] + ', "is_valid": "import os"}}', "is_valid='import os' must be"),
        (PLAIN.to_json()[:-2] + ', "progress": "epochs"}}', "damaged: progress='epochs' is not among its params"),
        (PLAIN.to_json()[:-2] + ', "progress": {"metric": 3}}}', "invalid progress: 2 problems"),
    ],
)
def test_what_is_no_definition_is_refused(text: str, problem: str) -> None:
    with pytest.raises(CarbsError, match=problem):
        SweepDefinition.from_json(text)


def test_the_optimizer_knows_the_old_runs_and_what_is_run_first() -> None:
    carbs = FULL.optimizer(is_valid=lambda values: float(values["lr"]) > 0.001)
    assert [run.is_old for run in carbs.success_observations] == [True]
    assert len(carbs.failure_observations) == 1
    assert carbs.suggest().suggestion["lr"] == pytest.approx(0.01)
    assert not carbs.obeys({"lr": 0.0005})


def test_it_is_said_what_the_search_starts_from() -> None:
    assert PLAIN.start == ""
    assert FULL.start == "started from 2 earlier runs (1 of them failed) and 1 configuration that is run first"


def test_a_sweep_of_wandbs_own_is_understood_by_its_parameters() -> None:
    parameters = {"lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-1}}
    metric = {"name": "accuracy", "goal": "maximize"}
    definition, notes = definition_of({"parameters": parameters, "metric": metric, "description": "words"})
    assert [param.name for param in definition.params] == ["lr"]
    assert definition.config.better_direction_sign == 1
    assert "'accuracy' is maximised" in notes[0]
    assert definition_of({"description": PLAIN.to_json(), "parameters": {}})[1] == ()
    with pytest.raises(CarbsError, match=r"as one of W&B's own it lacks parameters and metric; create it anew"):
        definition_of({"description": json.dumps({"other": 1})})
    for nothing in (None, "loss"):
        with pytest.raises(CarbsError, match=r"it lacks metric \(`metric: \{name: val_loss, goal: minimize\}`\);"):
            definition_of({"parameters": parameters, "metric": nothing})
    with pytest.raises(CarbsError, match="it lacks parameters; create it anew"):
        definition_of({"metric": metric})


def test_a_runs_address_follows_from_the_sweeps() -> None:
    assert SweepLabels(url="http://host/e/p/sweeps/s").url_of("r") == "http://host/e/p/runs/r"
    assert SweepLabels().url_of("r") == ""
