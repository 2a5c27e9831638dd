"""The end of a demo, from a history made by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest
from rich.console import Console

from wandb_carbs.demo import results
from wandb_carbs.demo.problem import PARAMS, optimizer_options
from wandb_carbs.record import RunRecord
from wandb_carbs.sweep.definition import SweepDefinition
from wandb_carbs.sweep.history import SweepHistory
from wandb_carbs.sweep.judged import judge
from wandb_carbs.sweep.path import SweepPath

START = datetime(2025, 1, 1, tzinfo=timezone.utc)
# Loss and seconds, in the order of the runs' ends.
RUNS = [(2.0, 0.1), (0.5, 1.0), (0.6, 2.0), (0.1, 4.0)]


def history_of(runs: Sequence[tuple[float, float]]) -> SweepHistory:
    definition = SweepDefinition(PARAMS, optimizer_options(0))
    records = [
        RunRecord(
            f"r{index}",
            f"r{index}",
            "finished",
            START,
            START + timedelta(minutes=index),
            {"learning_rate": 0.01, "batch_size": 8 * 2**index, "hidden_units": 16, "epochs": 5},
            {"carbs.state": "success", "carbs.objective": loss, "carbs.cost": seconds, "carbs.kind": "model"},
        )
        for index, (loss, seconds) in enumerate(runs)
    ]
    judged = judge(records, definition.optimizer().space, START + timedelta(hours=1))
    return SweepHistory(SweepPath("demo", "digits", "s"), definition, tuple(judged))


@pytest.mark.parametrize(
    ("at_random", "reached"),
    [
        ([(2.1, 0.5), (1.9, 6.6)], 0.1),  # the first run dominates both
        ([(0.5, 1.0), (0.9, 6.1)], 1.1),
        ([(0.3, 3.0), (0.7, 4.1)], 1.1),
        ([(0.05, 0.1), (0.7, 7.0)], None),
    ],
)
def test_search_is_compared_by_its_frontier(at_random: list[tuple[float, float]], reached: float | None) -> None:
    found = results.compare(history_of(RUNS), at_random)
    assert found.reached == (None if reached is None else pytest.approx(reached))
    assert found.runs == 2
    assert found.seconds == pytest.approx(sum(seconds for _, seconds in at_random))
    assert (found.loss, found.search_loss) == (min(loss for loss, _ in at_random), 0.1)


def test_comparison_says_who_was_better() -> None:
    better = results.Comparison(runs=9, seconds=8.0, loss=0.25, reached=2.0, search_loss=0.125)
    assert "after 2 s: 4 times less" in better.text
    assert "The search found 0.1250, and had a frontier as good" in better.text
    worse = results.Comparison(runs=9, seconds=8.0, loss=0.25, reached=None, search_loss=0.125)
    assert "less" not in worse.text
    assert "a frontier as good as the search's" in worse.text
    assert "0.2500" in worse.text
    assert "0.1250" in worse.text


def test_frontier_is_shown_from_the_cheapest_to_the_best() -> None:
    console = Console(width=100, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115, PTH123
    with console.file:
        console.print(results.table(history_of(RUNS)))
    lines = console.export_text().splitlines()
    assert lines[1].split() == ["seconds", "loss", *(param.name for param in PARAMS)]
    assert [line.split()[:2] for line in lines[2:]] == [["0.1", "2"], ["1", "0.5"], ["4", "0.1"]]
    assert results.best(history_of(RUNS)) == "from loss 2 in 0.1 s to 0.1 in 4 s"


def test_laws_need_runs() -> None:
    assert list(results.laws(history_of(RUNS))) == []


def test_json_holds_runs_and_frontier() -> None:
    comparison = results.compare(history_of(RUNS), [(0.5, 1.0)])
    made = results.as_json(history_of(RUNS), "http://s", {"r0": {"epochs": 5}}, [0.25], comparison)
    assert json.loads(json.dumps(made)) == made
    assert [run["objective"] for run in made["runs"]] == [loss for loss, _ in RUNS]
    assert [run["suggestion"] for run in made["runs"]] == [{"epochs": 5}, {}, {}, {}]
    assert [point["run"] for point in made["frontier"]] == ["r0", "r1", "r3"]
    assert made["random_search"]["reached"] == pytest.approx(1.1)
