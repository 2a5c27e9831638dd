"""Candidates: within the bounds, legal, and where they are wanted."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from carbs import CategoricalSpace, LinearSpace, LogSpace, Param, Pow2Space
from carbs.arrays import Array
from carbs.search import candidates
from carbs.spaces.search_space import SearchSpace, as_space
from carbs.tuning import DEFAULT

MIXED = as_space(
    [
        Param("lr", LogSpace(1e-5, 1e-1)),
        Param("n", Pow2Space(1, 64)),
        Param("c", CategoricalSpace(("a", "b", "c"))),
        Param("open", LinearSpace(), 3.0),
    ]
)


def box(number: int) -> SearchSpace:
    return as_space([Param(f"x{i}", LinearSpace(0, 1)) for i in range(number)])


def test_points_beyond_the_bounds_are_mirrored_and_those_far_beyond_clipped() -> None:
    low, high = np.zeros(1), np.ones(1)
    points = np.array([[-0.2], [0.3], [1.4], [-7.0], [9.0]])
    assert candidates.reflect(points, low, high).ravel().tolist() == pytest.approx([0.2, 0.3, 0.6, 0.0, 0.0])
    assert candidates.reflect(points, np.full(1, -math.inf), np.full(1, math.inf)).tolist() == points.tolist()


def test_all_candidates_are_legal_and_repeat_with_the_generator() -> None:
    origin = MIXED.center[None]
    draws: list[Callable[[np.random.Generator], Array]] = [
        lambda rng: candidates.around(MIXED, origin, np.full(MIXED.width, 0.5), 200, rng),
        lambda rng: candidates.everywhere(MIXED, origin, 200, rng),
        lambda rng: candidates.initial(MIXED, 3, None, np.full(MIXED.width, 0.25), rng),
    ]
    for draw in draws:
        points = draw(np.random.default_rng(1))
        assert np.array_equal(points, MIXED.round(points))
        assert not [problem for values in MIXED.decode(points) for problem in MIXED.problems_with(values)]
        assert np.array_equal(points, draw(np.random.default_rng(1)))


def test_in_many_dimensions_about_ten_hyperparameters_move_at_a_time() -> None:
    space = box(100)
    moved = candidates.around(space, space.center[None], np.full(100, 0.1), 400, np.random.default_rng(0))
    numbers = np.count_nonzero(moved != space.center, axis=1)
    assert np.min(numbers) >= 1
    assert 6 < np.mean(numbers) < 10  # half of the candidates move ten of them on average, half five
    wide = replace(DEFAULT.gain, num_moved=100, wide_share=1.0)
    moved = candidates.around(space, space.center[None], np.full(100, 0.1), 400, np.random.default_rng(0), wide)
    assert np.all(moved != space.center)


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 0.9, 1.0), (0.0, 0.0, 0.01)])
def test_the_share_of_clipped_candidates_lies_on_the_bounds(share: float, least: float, most: float) -> None:
    space = box(1)
    tuning = replace(DEFAULT.gain, clip_share=share)
    points = candidates.around(space, np.zeros((1, 1)), np.full(1, 1e-3), 400, np.random.default_rng(0), tuning)
    on_bound = np.mean(points[:, 0][points[:, 0] <= 0] == 0) if np.any(points <= 0) else 0.0
    assert least <= on_bound <= most


def test_open_ends_reach_one_unit_beyond_the_runs() -> None:
    low, high = candidates.reach(as_space([Param("x", LinearSpace(scale=1.0), 0.0)]), np.array([[-2.0], [5.0]]))
    assert (low.tolist(), high.tolist()) == ([-3.0], [6.0])
    low, high = candidates.reach(box(2), np.empty((0, 2)))
    assert (low.tolist(), high.tolist()) == (box(2).bounds[0].tolist(), box(2).bounds[1].tolist())


def test_the_initial_design_covers_the_box_more_evenly_than_chance() -> None:
    space = box(2)
    rng = np.random.default_rng(0)
    design = np.vstack([candidates.initial(space, first, None, np.array([0.1, 0.7]), rng)[:1] for first in range(32)])
    low, high = space.bounds
    cells = {tuple(cell) for cell in ((design - low) / (high - low) * 3.999).astype(int)}
    assert len(cells) >= 14  # of 16 cells; random points leave two on average


@pytest.mark.parametrize("width", [1, 2, 8, 60, 5000])
def test_four_points_of_the_initial_design_differ_in_every_coordinate(width: int) -> None:
    """With any start they span half of the range and more, on average."""
    strides = candidates.strides(width)
    starts = np.random.default_rng(0).random((50, 1, min(width, 60)))
    spans = np.ptp((starts + np.arange(4)[:, None] * strides[:60]) % 1.0, axis=1)
    assert np.min(np.mean(spans, axis=0)) > 0.5
    assert len(np.unique(strides)) == width


def test_around_a_given_center_no_first_draw_lies_far_out_in_a_tail() -> None:
    space = as_space([Param("x", LinearSpace(scale=1.0), 0.0)])
    points = candidates.initial(space, 1, np.array([0.15]), np.zeros(1), np.random.default_rng(0))
    assert np.max(np.abs(points)) <= 0.15 * 1.645 + 1e-9
    assert np.std(points) == pytest.approx(0.15, rel=0.25)


def test_first_steps_share_the_allowance_of_the_logarithmic_ones_until_costs_are_known() -> None:
    space = as_space([*(Param(f"n{i}", LogSpace(1, 1e6), 10.0) for i in range(4)), Param("x", LinearSpace(0, 1), 0.5)])
    longest = space.longest_first_steps[0]
    assert candidates.first_steps(space, 100.0).tolist() == pytest.approx([longest] * 4 + [100.0])
    together = candidates.first_steps(space, 100.0, are_costs_known=False)
    assert together.tolist() == pytest.approx([longest / 2] * 4 + [100.0])
    assert candidates.first_steps(space, 1e-3).tolist() == pytest.approx([1e-3] * 5)
