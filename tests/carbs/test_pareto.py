"""The frontier and its hypervolume against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbs.pareto import frontier, hypervolume

points = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12)


@given(points)
def test_members_are_those_that_nothing_dominates(rows: list[tuple[int, int]]) -> None:
    y, cost = (np.array([row[i] for row in rows], float) for i in range(2))
    members = frontier(y, cost)
    expected = {(a, c) for a, c in rows if not any((b >= a and d <= c) and (b > a or d < c) for b, d in rows)}
    assert {(y[i], cost[i]) for i in members} == expected
    assert len(members) == len(expected)
    assert list(cost[members]) == sorted(cost[members])


@given(points)
def test_hypervolume_is_the_dominated_area(rows: list[tuple[int, int]]) -> None:
    y, cost = (np.array([row[i] for row in rows], float) for i in range(2))
    cells = sum(any(a > i and c <= j for a, c in rows) for i in range(1, 7) for j in range(5))
    assert hypervolume(y, cost, reference_objective=1.0, reference_log_cost=5.0) == pytest.approx(cells)
