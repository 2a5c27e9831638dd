"""Sweep configurations, valid and invalid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from stored import make_sweep
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.sweeps.config import (
    check_config,
    config_warnings,
    description_of,
    early_stopping,
    expected_runs,
    parse_config,
    title_of,
)

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store

PARAMETERS = {"x": {"min": 0.0, "max": 1.0}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "magic"}, "method 'magic' must be one of random, grid, bayes, custom"),
        ({"method": "bayes"}, "method bayes needs a metric"),
        ({"metric": {"name": "loss", "goal": "blub"}}, "metric.goal 'blub' must be minimize or maximize"),
        ({"metric": {"name": "loss", "target": "low"}}, "metric.target 'low' must be a number"),
        ({"metric": {"goal": "minimize"}}, "must have a name"),
        ({"metrics": [{"name": "a"}, {"goal": "minimize"}]}, "must have a name"),
        ({"metrics": {}}, "must be a list"),
        ({"run_cap": 2**31}, "run_cap"),
        ({"controller": {"type": "remote"}}, "controller.type 'remote' must be local or cloud"),
        ({"controller": [1]}, "controller.type [1] must be local or cloud"),
        ({"early_terminate": {"type": "envelope"}}, "'envelope' must be 'hyperband'"),
        ({"early_terminate": {"type": "hyperband", "min_iter": 1}}, "needs a metric"),
        ({"early_terminate": {"type": "hyperband"}, "metric": {"name": "a"}}, "needs min_iter, or max_iter and s"),
        (
            {"early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 1}, "metric": {"name": "a"}},
            "eta 1 must be a number above 1",
        ),
        ({"parameters": {}}, "'parameters' must be"),
        (
            {"parameters": {"a": {"parameters": {"b": {"parameters": PARAMETERS, "wd": {"value": 1}}}}}},
            "parameter a.b: 'wd' stands beside 'parameters'; move it into 'parameters'",
        ),
    ],
)
def test_invalid_config_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(RequestError, match="invalid sweep config") as refusal:
        check_config({"method": "random", "parameters": PARAMETERS, **changes})
    assert message in str(refusal.value)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(RequestError) as refusal:
        check_config({"method": "bayes", "parameters": {"x": 3}, "run_cap": 0, "controller": "mine"})
    for part in ("metric", "parameter x", "run_cap 0", "controller.type 'mine'"):
        assert part in str(refusal.value)


def test_scheduler_needs_no_parameters() -> None:
    check_config({"method": "custom", "metrics": [{"name": "a", "goal": "maximize"}, {"name": "b"}]})


@pytest.mark.parametrize(
    ("settings", "bands"),
    [
        ({"max_iter": 27, "s": 2}, (3, 9)),
        ({"max_iter": 32, "s": 9, "eta": 2}, (1, 2, 4, 8, 16)),
        ({"min_iter": 2, "eta": 4}, (2, 8, 32, 128)),
        ({"min_iter": 2, "eta": 1.5}, (2, 3, 4, 6, 10)),
        ({"max_iter": 20, "s": 2.5, "eta": 2.5}, (1, 3, 8)),
    ],
)
def test_bands_of_hyperband(settings: dict[str, object], bands: tuple[int, ...]) -> None:
    found = early_stopping({"metric": {"name": "a"}, "early_terminate": {"type": "hyperband", **settings}})
    assert found is not None
    assert found.bands[: len(bands)] == bands
    assert found.keep == 1 / float(str(settings.get("eta", 3)))


def test_warnings_name_what_is_ignored() -> None:
    config = {"method": "random", "paramters": {}, "early_terminate": {"type": "hyperband", "etta": 3}}
    assert config_warnings(config) == [
        "unknown keys are ignored: paramters",
        "unknown keys of early_terminate are ignored: etta",
    ]
    assert config_warnings({"method": "grid", "metric": {"name": "a"}, "command": ["x"], "run_cap": 3}) == []


def test_expected_runs() -> None:
    grid = {"method": "grid", "parameters": {"a": {"values": [1, 2, 3]}, "b": {"values": [1, 2]}}}
    assert expected_runs(grid) == 6
    assert expected_runs({**grid, "run_cap": 4}) == 4
    assert expected_runs({"method": "custom"}) is None


def test_config_is_a_mapping() -> None:
    for text in ("[]", "{", "3", "a: &a [*a"):
        with pytest.raises(RequestError, match="invalid sweep config"):
            parse_config(text)
    assert parse_config(yaml.safe_dump({"method": "random"})) == {"method": "random"}


def test_a_sweep_is_called_by_its_own_name_or_else_by_its_id(store: Store) -> None:
    assert title_of(make_sweep(store, name="mine")) == "mine"
    nameless = make_sweep(store)
    assert title_of(nameless) == nameless["name"]
    assert description_of(nameless) is None
    assert description_of(make_sweep(store, description="words")) == "words"
