"""The frontier among the runs of a table."""

from __future__ import annotations

from wandb_carbs.server.pages.rows import RunRow, pareto_frontier


def run(name: str, objective: float | None, cost: float | None, *, counts: bool = True) -> RunRow:
    return RunRow(name, name, "finished", "success", objective, cost, counts, {}, 0)


def test_frontier_holds_the_unbeaten_cheapest_first() -> None:
    rows = [run("a", 3, 1), run("b", 2, 2), run("c", 2.5, 3), run("d", 1, 4), run("e", 0, 5, counts=False)]
    assert [row.name for row in pareto_frontier(rows, maximize=False)] == ["a", "b", "d"]
    assert [row.name for row in pareto_frontier(rows, maximize=True)] == ["a"]


def test_frontier_of_equal_costs_holds_the_best() -> None:
    rows = [run("a", 3, 1), run("b", 2, 1)]
    assert [row.name for row in pareto_frontier(rows, maximize=False)] == ["b"]
