"""Draw the two figures of docs/benchmarks.md from what quality.py and speed.py wrote.

uv run --group bench benchmarks/quality.py --yahpo DIR --problems NAMES --optimizers carbs,optuna-gp --out quality.json
uv run --group bench benchmarks/speed.py --optimizers carbs,optuna-gp,optuna-tpe --out speed.json
uv run --group bench benchmarks/figures.py --quality quality.json --yahpo DIR --speed speed.json --to docs/images
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scores import Scale, scale_of
from trajectories import Trajectory, read
from worlds import Folders

from carbs.plotting import STYLE

# Okabe and Ito's palette: colour-blind readers can distinguish it, also in print.
STYLES: dict[str, tuple[str, str]] = {
    "carbs": ("carbs", "#0072b2"),
    "optuna-gp": ("Optuna, GPSampler", "#d55e00"),
    "optuna-tpe": ("Optuna, TPE", "#009e73"),
    "random": ("random", "#8c8c8c"),
}


def over_cost(trajectory: Trajectory, scale: Scale, spent: np.ndarray) -> list[float]:
    """Return the hypervolume once each of the costs `spent` has been spent; not a number past the last run."""
    total = np.cumsum(trajectory.cost)
    reached = [scale.volume(trajectory, number) for number in range(len(total) + 1)]
    numbers = np.searchsorted(total, spent, side="right")
    return [reached[number] if cost <= total[-1] else np.nan for number, cost in zip(numbers, spent, strict=True)]


def draw_quality(trajectories: list[Trajectory], folders: Folders) -> Figure:
    """Draw hypervolume against spent cost, a panel for each problem, the mean over seeds."""
    names = list(dict.fromkeys(t.task.problem for t in trajectories))
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(2.9 * columns, 2.3 * rows + 0.4), layout="constrained")
    panels = np.atleast_1d(figure.subplots(rows, columns)).ravel()
    for panel, name in zip(panels, names, strict=False):
        mine = [t for t in trajectories if t.task.problem == name]
        draw_problem(panel, mine, scale_of(name, folders, mine))
        panel.set_title(name)
    for panel in panels[len(names) :]:
        panel.set_axis_off()
    figure.supxlabel("spent cost")
    figure.supylabel("hypervolume")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def draw_problem(panel: Axes, mine: list[Trajectory], scale: Scale) -> None:
    """Draw one problem; each line ends where the first of its searches does."""
    first = min(t.cost[0] for t in mine)
    for optimizer, (label, colour) in STYLES.items():
        group = [t for t in mine if t.task.optimizer == optimizer]
        if group:
            spent = np.geomspace(first, min(sum(t.cost) for t in group), 200)
            panel.plot(spent, np.mean([over_cost(t, scale, spent) for t in group], axis=0), color=colour, label=label)
    panel.set_xscale("log")
    panel.set_ylim(0, 1)


def draw_speed(cases: list[dict[str, Any]]) -> Figure:
    """Draw the seconds of a suggestion against the number of runs."""
    figure = Figure(figsize=(5.0, 3.4), layout="constrained")
    panel = figure.subplots()
    dimension = 8
    for optimizer, (label, colour) in STYLES.items():
        mine = [c for c in cases if c["optimizer"] == optimizer and c["dimension"] == dimension]
        if mine:
            panel.plot([c["runs"] for c in mine], [c["seconds"] for c in mine], "o-", color=colour, label=label)
    panel.set(xscale="log", yscale="log", xlabel="runs so far", ylabel="seconds per suggestion")
    panel.set_title(f"{dimension} hyperparameters, one thread")
    figure.legend(loc="outside upper center", ncols=3)
    return figure


def main() -> None:
    """Draw what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", type=Path, help="what quality.py wrote")
    parser.add_argument("--yahpo", metavar="DIR", help="folder of yahpo_data, where quality.py had it")
    parser.add_argument("--curves", metavar="DIR", help="folder of taskset_*.npz tables, where quality.py had it")
    parser.add_argument("--speed", type=Path, help="what speed.py wrote")
    parser.add_argument("--to", type=Path, default=Path(), help="folder for the figures")
    args = parser.parse_args()
    args.to.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        if args.quality:
            figure = draw_quality(read(args.quality), Folders(args.yahpo, args.curves))
            figure.savefig(args.to / "quality.png", dpi=100)
        if args.speed:
            draw_speed(json.loads(args.speed.read_text())).savefig(args.to / "speed.png", dpi=150)


if __name__ == "__main__":
    main()
