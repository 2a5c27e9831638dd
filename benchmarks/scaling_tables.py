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
from dataclasses import dataclass, replace
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
# Its columns, and what they are called here.
_PUBLISHED = {"n": "N", "d": "D", "lr": "lr", "bs": "bs", "loss": "smooth loss"}
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


@dataclass(frozen=True)
class _Published:
    """The published table: `rows` of n, d, learning rate, batch size and loss, shape (m, 5), and the same as `runs`.

    `sizes`, shape (k, 2), are the different n and d. `member`, shape (m,), says which of them a row has, and `best`,
    shape (k,), is the least loss of each.
    """

    rows: Array
    runs: list[ObservationInParam]
    sizes: Array
    member: NDArray[np.int64]
    best: Array

    @classmethod
    def read(cls, path: Path) -> _Published:
        with path.open(newline="") as file:
            rows = np.array([[float(row[name]) for name in _PUBLISHED.values()] for row in csv.DictReader(file)])
        *names, _ = _PUBLISHED
        runs = [ObservationInParam(dict(zip(names, row, strict=False)), row[-1]) for row in rows.tolist()]
        sizes, member = np.unique(rows[:, :2], axis=0, return_inverse=True)
        member = member.ravel()
        best = np.array([np.min(rows[member == place, -1]) for place in range(len(sizes))])
        return cls(rows, runs, sizes, member, best)

    @property
    def params(self) -> list[Param]:
        return [Param(name, LogSpace(min=1e-9, max=1e18)) for name in self.runs[0].input]


def published(path: Path, numbers: list[int]) -> None:
    """Print exponents and what is paid at the largest size over draws of rows, and the errors of losses left out."""
    table = _Published.read(path)
    _show_paper(table.rows, table.best[table.member])
    for number in numbers:
        _show_draws(table, number)
    _show_left_out(table)


def _show_draws(table: _Published, number: int) -> None:
    """Print the figures of ten draws of `number` rows, all for 0."""
    largest = int(np.argmax(np.prod(table.sizes, axis=1)))
    laws, paid = [], []
    for seed in range(_ORDERS):
        order = np.random.default_rng(seed).permutation(len(table.runs))
        some = [table.runs[i] for i in order[: number or None]]
        laws.append(scaling_laws(table.params, some, _LOSS, scale=["n", "d"]))
        seen = [table.runs[i] for i in order if table.member[i] != largest][: number or None]
        seen += [table.runs[i] for i in np.flatnonzero(table.member == largest)]
        paid += measure_transfer(table.params, seen, _LOSS, scale=["n", "d"], held_out=1e-9).paid
    head = f"{number or 'all':>6} runs:"
    for name, size in (("lr", "n"), ("lr", "d"), ("bs", "n"), ("bs", "d")):
        exponents = [law[name].exponents[size] for law in laws]
        low, high = np.median([law[name].intervals[size] for law in laws], axis=0)
        print(
            f"{head} {name} ~ {size}^{np.median(exponents):.3f}, {min(exponents):.3f} to {max(exponents):.3f} in "
            f"{_ORDERS} draws; 90 % interval {low:.2f} to {high:.2f}"
        )
    print(f"{head} largest size, unseen: loss paid {np.mean(paid):.2%}, at most {max(paid):.2%}")


def _show_left_out(table: _Published) -> None:
    """Print how well the best loss of each size is predicted from the runs of all others."""
    errors, held = [], []
    for place, (size, loss) in enumerate(zip(table.sizes, table.best, strict=True)):
        seen = [table.runs[i] for i in np.flatnonzero(table.member != place)]
        found = scaling_laws(table.params, seen, _LOSS, scale=["n", "d"]).objective.predict(n=size[0], d=size[1])
        others = np.arange(len(table.sizes)) != place
        least = float(_least_squares(table.sizes[others], table.best[others], size[None])[0])
        errors.append([found.value / loss - 1, least / loss - 1])
        held.append(found.low <= loss <= found.high)
    ours, least = np.sqrt(np.mean(np.square(errors), axis=0))
    print(
        f"one size of {len(table.sizes)} left out: rms error of its best loss {ours:.2%}, of a least-squares power law "
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
