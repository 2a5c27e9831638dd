"""Laws over given sizes: simulated tables whose truth is known, and real tables against a least-squares power law.

uv run benchmarks/scaling_tables.py --tables 12 --runs 100 300 0
uv run benchmarks/scaling_tables.py --tables 0 --curves FOLDER
uv run benchmarks/scaling_tables.py --tables 0 --published dense_lr_bs_loss.csv

For simulated tables it prints the three figures of papers on hyperparameter transfer: the exponents' errors and how
often intervals hold them, the error of the loss that is predicted for the largest size without it, and the loss that
is paid there for the predicted learning rate and batch size. A real table is an npz file: `openlm_grid.npz`, or
`scalebench_*.npz` with `columns`, `train` rows and `test` rows at higher cost.

The published table holds learning rates and batch sizes at 17 sizes: github.com/step-law/steplaw (Li et al. 2025,
"Predictable Scale: Part I, Step Law"), data/dense_lr_bs_loss.csv.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from language_tables import SIZES, draw_table
from numpy.typing import NDArray
from scipy.optimize import least_squares
from threadpoolctl import threadpool_limits

from carbs import CarbsError, CARBSParams, LogSpace, ObservationInParam, Param
from carbs.scaling import measure_transfer, scaling_laws

_LOSS = CARBSParams(better_direction_sign=-1)
_HELD_OUT = 0.2  # share of the sizes of a real table, the most expensive ones
_ORDERS = 10  # draws of rows of the published table
Array = NDArray[np.float64]


def simulated(seeds: range, number: int) -> None:
    """Print the three figures over tables of `number` runs, all for 0."""
    errors, held, fits, losses, losses_held, paid = [], [], [], [], [], []
    n, d = SIZES[-1]
    for seed in seeds:
        table = draw_table(seed)
        runs = table.observations()
        laws = scaling_laws(table.params, runs[:number] if number else runs, _LOSS, scale=["n", "d"])
        for name, truth in table.exponents.items():
            for size, exponent in truth.items():
                low, high = laws[name].intervals[size]
                errors.append(laws[name].exponents[size] - exponent)
                held.append(low <= exponent <= high)
        last = [run for run in runs if (run.input["n"], run.input["d"]) == (n, d)]
        smaller = [run for run in runs if (run.input["n"], run.input["d"]) != (n, d)]
        smaller = smaller[:number] if number else smaller
        figures = measure_transfer(table.params, [*smaller, *last], _LOSS, scale=["n", "d"], held_out=1e-9)
        fits.append(figures.objective_fit)
        advice = figures.laws.at(n=n, d=d)
        assert advice.objective is not None
        truth = table.best_loss(n, d)
        losses.append(advice.objective.value / truth - 1)
        losses_held.append(advice.objective.low <= truth <= advice.objective.high)
        # Not `figures.paid`: the table knows the loss at the very values that are predicted, without noise.
        paid.append(table.loss(n, d, advice.values["rate"], advice.values["batch"]) / table.best_on_grid(n, d) - 1)
    print(
        f"{number or 'all':>6} runs: rms error of exponents {_rms(errors):.3f}, held by 90 % intervals "
        f"{np.mean(held):.2f}; R2 of the losses {np.median(fits):.4f}; largest size, unseen: rms error of the loss "
        f"{_rms(losses):.2%}, held by the 90 % interval {np.mean(losses_held):.2f}, loss paid {np.mean(paid):.2%}, "
        f"at most {max(paid):.2%}"
    )


def real(folder: Path) -> None:
    """Print the errors of losses that are predicted for the most expensive rows."""
    print(f"\n{'rms error of predicted losses':36} {'laws':>8} {'no discrepancy':>15} {'least squares':>14}")
    for path in sorted([folder / "openlm_grid.npz", *folder.glob("scalebench_*.npz")]):
        with np.load(path, allow_pickle=False) as data:
            read: Callable[..., tuple[list[str], Array, Array, Array, Array]]
            read = _grid if path.stem == "openlm_grid" else _pool
            names, sizes, loss, test_sizes, test_loss = read(data)
        if not len(test_loss) or np.min(sizes) <= 0:
            print(f"{path.stem:36} has no held-out rows, or sizes of 0")
            continue
        params = [Param(name, LogSpace(min=1e-12, max=1e30)) for name in names]
        runs = [
            ObservationInParam(dict(zip(names, row.tolist(), strict=True)), float(value))
            for row, value in zip(sizes, loss, strict=True)
        ]
        least = _least_squares(sizes, loss, test_sizes)
        try:
            law = scaling_laws(params, runs, _LOSS, scale=names).objective
            sums = replace(law, discrepancy=replace(law.discrepancy, signal=0.0))
            points = [dict(zip(names, row.tolist(), strict=True)) for row in test_sizes]
            ours, plain = (np.array([found.predict(**point).value for point in points]) for found in (law, sums))
        except CarbsError as error:
            print(f"{path.stem:36} {error}")
            continue
        errors = [_rms(predicted - test_loss) for predicted in (ours, plain, least)]
        print(f"{path.stem:36} {errors[0]:8.4f} {errors[1]:15.4f} {errors[2]:14.4f}")


def _grid(data: np.lib.npyio.NpzFile) -> tuple[list[str], Array, Array, Array, Array]:
    """Return the best loss of each size of the open grid; the most expensive fifth of the sizes is held out."""
    tokens = data["X"][:, data["names"].tolist().index("tokens")]
    n, loss = data["cost"][:, 0] / (6 * tokens), data["curve"][:, 0].astype(float)
    good = np.isfinite(loss)
    cells, member = np.unique(np.round(np.log10(np.column_stack([n, tokens])[good]), 3), axis=0, return_inverse=True)
    best = np.array([np.min(loss[good][member.ravel() == place]) for place in range(len(cells))])
    order = np.argsort(np.sum(cells, axis=1), kind="stable")
    first, last = np.split(order, [int(len(order) * (1 - _HELD_OUT))])
    return ["n", "d"], 10 ** cells[first], best[first], 10 ** cells[last], best[last]


def _pool(data: np.lib.npyio.NpzFile) -> tuple[list[str], Array, Array, Array, Array]:
    """Return a pool's rows; the loss is the last column."""
    train = data["train"]
    test = data["test"] if "test" in data.files else np.empty((0, train.shape[1]))
    names = data["columns"].tolist()
    targets = [place for place, name in enumerate(names) if "loss" in name]
    sizes = [place for place in range(len(names)) if place not in targets and len(np.unique(train[:, place])) > 1]
    return (
        [names[place] for place in sizes],
        train[:, sizes],
        train[:, targets[0]],
        test[:, sizes],
        test[:, targets[0]],
    )


def published(path: Path, numbers: list[int]) -> None:
    """Print exponents and what is paid at the largest size over draws of rows, and the errors of losses left out."""
    columns = {"n": "N", "d": "D", "lr": "lr", "bs": "bs"}
    with path.open(newline="") as file:
        rows = [
            [*(float(row[column]) for column in columns.values()), float(row["smooth loss"])]
            for row in csv.DictReader(file)
        ]
    runs = [ObservationInParam(dict(zip(columns, row, strict=False)), row[-1]) for row in rows]
    params = [Param(name, LogSpace(min=1e-9, max=1e18)) for name in columns]
    sizes, member = np.unique(np.array(rows)[:, :2], axis=0, return_inverse=True)
    member = member.ravel()
    best = np.array(
        [min(row[-1] for row, own in zip(rows, member, strict=True) if own == i) for i in range(len(sizes))]
    )
    _show_paper(np.array(rows), best[member])
    largest = int(np.argmax(np.prod(sizes, axis=1)))
    for number in numbers:
        laws, transfers = [], []
        for seed in range(_ORDERS):
            order = np.random.default_rng(seed).permutation(len(runs))
            laws.append(scaling_laws(params, [runs[i] for i in order[: number or None]], _LOSS, scale=["n", "d"]))
            seen = [runs[i] for i in order if member[i] != largest][: number or None]
            seen += [runs[i] for i in np.flatnonzero(member == largest)]
            transfers.append(measure_transfer(params, seen, _LOSS, scale=["n", "d"], held_out=1e-9))
        for name, size in (("lr", "n"), ("lr", "d"), ("bs", "n"), ("bs", "d")):
            exponents = [law[name].exponents[size] for law in laws]
            low, high = np.median([law[name].intervals[size] for law in laws], axis=0)
            print(
                f"{number or 'all':>6} runs: {name} ~ {size}^{np.median(exponents):.3f}, {min(exponents):.3f} to "
                f"{max(exponents):.3f} in {_ORDERS} draws; 90 % interval {low:.2f} to {high:.2f}"
            )
        paid = [figures.paid[0] for figures in transfers]
        print(
            f"{number or 'all':>6} runs: largest size, unseen: loss paid {np.mean(paid):.2%}, at most {max(paid):.2%}"
        )
    errors, held = [], []
    for place, (size, loss) in enumerate(zip(sizes, best, strict=True)):
        others = np.arange(len(sizes)) != place
        seen = [run for run, own in zip(runs, member, strict=True) if own != place]
        found = scaling_laws(params, seen, _LOSS, scale=["n", "d"]).objective.predict(n=size[0], d=size[1])
        least = float(_least_squares(sizes[others], best[others], size[None])[0])
        errors.append([found.value / loss - 1, least / loss - 1])
        held.append(found.low <= loss <= found.high)
    ours, least = np.sqrt(np.mean(np.square(errors), axis=0))
    print(
        f"one size of {len(sizes)} left out: rms error of its best loss {ours:.2%}, of a least-squares power law "
        f"{least:.2%}; held by the 90 % interval {np.mean(held):.2f}"
    )


def _show_paper(rows: Array, best: Array) -> None:
    """Print the exponents by the paper's procedure: least squares through the rows within 0.25 % of the best."""
    near = np.log(rows[rows[:, -1] < 1.0025 * best])
    design = np.column_stack([np.ones(len(near)), near[:, :2]])
    rate = np.linalg.lstsq(design, near[:, 2])[0]
    batch = np.linalg.lstsq(design[:, [0, 2]], near[:, 3])[0]
    print(f"rows within 0.25 % of the best: lr ~ n^{rate[1]:.3f} d^{rate[2]:.3f}, bs ~ d^{batch[1]:.3f}")


def _least_squares(sizes: Array, loss: Array, test_sizes: Array) -> Array:
    """Predict by loss = limit + sum of amplitude * size^-exponent, fitted by least squares from several starts."""
    center = np.mean(np.log(sizes), axis=0)

    def predict(theta: Array, at: Array) -> Array:
        amplitude, exponent = np.split(theta[1:], 2)
        predicted: Array = theta[0] + np.exp(-exponent * (np.log(at) - center)) @ amplitude
        return predicted

    fits = []
    for exponent in (0.1, 0.3, 0.6):
        k = sizes.shape[1]
        start = np.concatenate([[float(np.min(loss)) * 0.8], np.full(k, float(np.ptp(loss))), np.full(k, exponent)])
        fits.append(least_squares(lambda theta: predict(theta, sizes) - loss, start, max_nfev=2000))
    return predict(min(fits, key=lambda fit: fit.cost).x, test_sizes)


def _rms(values: list[float] | Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=12, help="number of simulated tables")
    parser.add_argument("--first", type=int, default=0, help="seed of the first of them")
    parser.add_argument("--runs", type=int, nargs="*", default=[100, 300, 0], help="runs of each table, 0 for all")
    parser.add_argument("--curves", type=Path, help="folder of real tables")
    parser.add_argument("--published", type=Path, help="a table of learning rates and batch sizes, as above")
    arguments = parser.parse_args()
    if arguments.tables:
        for number in arguments.runs:
            simulated(range(arguments.first, arguments.first + arguments.tables), number)
    if arguments.curves:
        real(arguments.curves)
    if arguments.published:
        published(arguments.published, arguments.runs)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
