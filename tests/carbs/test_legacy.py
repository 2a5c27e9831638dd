"""Names of the old package work and warn."""

from __future__ import annotations

import pytest

import carbs
from carbs import CARBS, CARBSParams, LinearSpace, ObservationInParam, Param

PARAMS = [Param("x", LinearSpace(min=0, max=1))]


@pytest.mark.parametrize(
    ("old", "new"),
    [("ParamDictType", "ParamDict"), ("SuggestionInBasic", "SuggestOutput"), ("ParamType", "ParamValue")],
)
def test_renamed(old: str, new: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"use carbs.{new}"):
        assert getattr(carbs, old) is getattr(carbs, new)


def test_the_key_of_a_suggestions_identifier() -> None:
    with pytest.warns(DeprecationWarning, match="'suggestion_uuid'"):
        key = carbs.SUGGESTION_ID_DICT_KEY  # type: ignore[attr-defined]
    assert key in CARBS(params=PARAMS).suggest().suggestion


@pytest.mark.parametrize(
    ("name", "instead"),
    [("RealNumberSpace", "use Pow2Space"), ("load_observations_from_wandb_run", "wandb_carbs.carbs_from_sweep")],
)
def test_what_is_gone_says_what_to_use(name: str, instead: str) -> None:
    with pytest.raises(ImportError, match=f"carbs.{name} is a name of the old package; .*{instead}"):
        exec(f"from carbs import {name}")


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = carbs.Nothing  # type: ignore[attr-defined]


def test_random_sampling_and_resample_count() -> None:
    search = CARBS(params=PARAMS)
    with pytest.warns(DeprecationWarning, match="num_awaited"):
        assert search._is_random_sampling()
    for x in (0.1, 0.2, 0.1, 0.3, 0.4, 0.5):
        search.observe(ObservationInParam({"x": x}, x, 1.0))
    with pytest.warns(DeprecationWarning, match="num_awaited"):
        assert not search._is_random_sampling()
    with pytest.warns(DeprecationWarning, match="resample"):
        assert search.resample_count == 1
    search.observe(ObservationInParam({"x": 0.9}, is_failure=True))
    with pytest.warns(DeprecationWarning, match="failure_observations"):
        assert search.observation_count == 7


@pytest.mark.parametrize(("sign", "best"), [(1, 0.75), (-1, 0.25)])
def test_logs_of_an_observation(sign: int, best: float) -> None:
    """The program of the old package's README reads them."""
    carbs = CARBS(CARBSParams(better_direction_sign=sign), PARAMS)
    for x in (0.25, 0.75, 0.5):
        logs = carbs.observe(ObservationInParam({"x": x}, output=10 * x, cost=2 * x)).logs
    for x in (0.0, 1.0):
        carbs.observe(ObservationInParam({"x": x}, output=10 * x, cost=7.0))
    expected = {
        "observation_count": 3,
        "failed_observation_count": 0,
        "cumulative_cost": 3.0,
        "observation/is_failure": 0,
        "observation/x": 0.5,
        "observation/output": 5.0,
        "observation/cost": 1.0,
        "best_observation/x": best,
        "best_observation/output": 10 * best,
        "best_observation/cost": 2 * best,
    }
    with pytest.warns(DeprecationWarning, match="use the observation that you gave"):
        assert {key: logs[key] for key in expected} == expected
    assert logs == {"num_successes": 3, "num_failures": 0}
    with pytest.raises(KeyError):
        logs["pareto_curve"]


def test_logs_of_a_failure() -> None:
    logs = CARBS(params=PARAMS).observe(ObservationInParam({"x": 0.5}, is_failure=True)).logs
    with pytest.warns(DeprecationWarning, match="is a name of the old package"):
        assert (logs["observation_count"], logs["observation/is_failure"], logs["observation/x"]) == (1, 1, 0.5)
    with pytest.raises(KeyError):
        logs["best_observation/x"]


def test_the_cost_of_all_successes() -> None:
    carbs = CARBS(params=PARAMS)
    for cost in (1.5, 2.0):
        carbs.observe(ObservationInParam({"x": 0.5}, 1.0, cost))
    with pytest.warns(DeprecationWarning, match="CARBS.cumulative_cost"):
        assert carbs.cumulative_cost == 3.5


@pytest.mark.parametrize(
    ("name", "instead"),
    [("save_to_file", "carbs.save"), ("load_from_file", "CARBS.load"), ("set_search_center", "search_center=…")],
)
def test_a_member_that_is_gone_says_what_to_use(name: str, instead: str) -> None:
    for owner in (CARBS, CARBS(params=PARAMS)):
        assert not hasattr(owner, name)
        with pytest.raises(AttributeError, match=f"CARBS.{name} is a name of the old package; .*{instead}"):
            getattr(owner, name)
