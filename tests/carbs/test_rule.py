"""The user's rule for whole configurations."""

from __future__ import annotations

from typing import Any

import pytest

from carbs import CarbsError, LinearSpace, Param
from carbs.rule import Rule
from carbs.spaces.search_space import as_space
from carbs.spaces.values import ParamDict

SPACE = as_space([Param("x", LinearSpace(0, 1)), Param("y", LinearSpace(0, 1))])


def test_without_a_rule_every_configuration_may_be_run() -> None:
    assert Rule(SPACE).obeys({"x": 0.0, "y": 1.0})


def test_the_rule_sees_the_parameters_alone() -> None:
    seen: list[ParamDict] = []

    def is_valid(values: ParamDict) -> bool:
        seen.append(values)
        return float(values["x"]) < float(values["y"])

    rule = Rule(SPACE, is_valid)
    assert rule.obeys({"suggestion_uuid": "a", "y": 0.5, "x": 0.25})
    assert not rule.obeys({"x": 0.5, "y": 0.25})
    assert seen[0] == {"x": 0.25, "y": 0.5}


@pytest.mark.parametrize("rule", [5, "x < y", True])
def test_a_rule_must_be_a_function(rule: Any) -> None:
    with pytest.raises(CarbsError, match=r"is_valid=.* must be a function of a configuration"):
        Rule(SPACE, rule)


def test_the_failure_of_a_rule_names_the_configuration() -> None:
    with pytest.raises(CarbsError, match=r"is_valid failed for \{'x': 0\.5, 'y': 0\.25\}: KeyError\('z'\)"):
        Rule(SPACE, lambda values: bool(values["z"])).obeys({"x": 0.5, "y": 0.25})
