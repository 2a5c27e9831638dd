from __future__ import annotations

import random

import pytest

from wandb_carbs.server.pages.frontier import RunRow, chart, pareto_frontier


def run(name: str, objective: float | None, cost: float | None, *, counts: bool = True) -> RunRow:
    return RunRow(name, name, "finished", "success", objective, cost, counts, {}, 0)


def test_frontier_holds_the_unbeaten_cheapest_first() -> None:
    rows = [run("a", 3, 1), run("b", 2, 2), run("c", 2.5, 3), run("d", 1, 4), run("e", 0, 5, counts=False)]
    assert [row.name for row in pareto_frontier(rows, maximize=False)] == ["a", "b", "d"]
    assert [row.name for row in pareto_frontier(rows, maximize=True)] == ["a"]


def test_frontier_of_equal_costs_holds_the_best() -> None:
    rows = [run("a", 3, 1), run("b", 2, 1)]
    assert [row.name for row in pareto_frontier(rows, maximize=False)] == ["b"]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [1, 2, 30])
def test_chart_shows_every_run(seed: int, count: int) -> None:
    rng = random.Random(seed)
    rows = [run(f"r{i}", rng.gauss(0, 10**seed), 10 ** rng.uniform(-seed, 2 * seed)) for i in range(count)]
    drawing = chart(rows, pareto_frontier(rows, maximize=True), "<loss>", "cost")
    assert drawing.count("<circle") == count
    assert "<loss>" not in drawing
    assert "nan" not in drawing


def test_chart_of_identical_runs() -> None:
    rows = [run("a", 0.0, 1.0), run("b", 0.0, 1.0)]
    assert chart(rows, rows[:1], "loss", "cost").count("<circle") == 2


def test_no_chart_without_observations() -> None:
    assert chart([run("a", None, None, counts=False)], [], "loss", "cost") == ""
