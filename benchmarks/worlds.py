"""The problems of the wide benchmark by name, in two halves: tune on one, look at the other at the very end.

`lcbench-TASK` needs the folder of `yahpo_data`, `taskset-TABLE` that of the `taskset_*.npz` tables. Prefixes change a
problem: `noisy:` adds its noise to what the optimizer sees, `free:` names no search centre, `fixed:` makes all runs as
long as the longest (where runs have a length), `oom:` lets large networks of LCBench fail.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from lcbench import LCBench
from problems import ScalingLaw
from simulators import FewMatter, Mixed, Plateau, Reinforcement, SixDecades, TwoBasins
from tables import TaskSet

from carbs import Param, ParamValue


class Problem(Protocol):
    """A search problem; see simulators.py."""

    noise: float
    params: Sequence[Param]

    def evaluate(self, config: Mapping[str, ParamValue]) -> tuple[float, float] | None: ...


SIMULATORS: dict[str, Callable[[], Any]] = {
    "scaling-law": ScalingLaw,
    "few-of-20": lambda: FewMatter(20),
    "few-of-44": lambda: FewMatter(44),
    "plateau": Plateau,
    "basins": TwoBasins,
    "mixed": Mixed,
    "rl": Reinforcement,
    "decades": SixDecades,
}
# Half of LCBench's tasks that YAHPO Gym has boxes of. Picked: seven that were looked at while building (the first), and
# ten more, chosen by their place in the list. The others were set aside before the first experiment.
_PICKED_TASKS = (3945, 7593, 126026, 167161, 167181, 168330, 189906, 34539, 146212, 167152, 167185, 167201, 168335)
_PICKED_TASKS += (168910, 189865, 189905, 126025)
_ASIDE_TASKS = (126029, 167104, 167149, 167168, 167184, 167190, 167200, 168329, 168331, 168868, 168908, 189354, 189862)
_ASIDE_TASKS += (189866, 189873, 189908, 189909)
_TABLE = "taskset_FixedTextRNNClassification_imdb_{}.npz"
HALVES: dict[str, tuple[str, ...]] = {
    "picked": (
        *(f"lcbench-{task}" for task in _PICKED_TASKS),
        *("scaling-law", "few-of-20", "noisy:plateau", "noisy:mixed", "noisy:rl", "free:lcbench-3945"),
        *("taskset-patch128_LSTM128_bs64", "taskset-patch32_IRNN64_relu_last_bs128", "taskset-patch32_LSTM128_bs128"),
    ),
    "aside": (
        *(f"lcbench-{task}" for task in _ASIDE_TASKS),
        *("noisy:scaling-law", "few-of-44", "noisy:basins", "noisy:decades", "free:noisy:mixed", "free:lcbench-126029"),
        *("taskset-patch32_GRU64_avg_bs128", "taskset-patch32_LSTM128_E128_bs128"),
        "taskset-patch32_VRNN64_tanh_avg_bs128",
    ),
}


@dataclass(frozen=True)
class Folders:
    """Where the data of the problems are that are not simulated; None where they are not at hand."""

    yahpo: str | None = None
    curves: str | None = None

    def hold(self, name: str) -> bool:
        """Say whether a problem's data are at hand."""
        base = name.rpartition(":")[2]
        if base.startswith("lcbench-"):
            return self.yahpo is not None
        return not base.startswith("taskset-") or self.curves is not None


@dataclass(frozen=True)
class Variant:
    """A problem with what the prefixes of its name make of it."""

    base: Problem
    prefixes: frozenset[str]

    @property
    def params(self) -> tuple[Param, ...]:
        """The hyperparameters: without search centres if the problem is `free:`, without the length if `fixed:`."""
        params = [param for param in self.base.params if param.name not in self._fixed]
        if "free" in self.prefixes:
            return tuple(replace(param, search_center=None) for param in params)
        return tuple(params)

    @property
    def noise(self) -> float:
        """Standard deviation of what is added to the objective."""
        return self.base.noise if "noisy" in self.prefixes else 0.0

    @property
    def params_with_points(self) -> tuple[Param, ...]:
        """The same, and the length that all runs of a `fixed:` problem have."""
        lengths = [param for param in self.base.params if param.name in self._fixed]
        fixed = [replace(param, search_center=None, fixed=self._fixed[param.name]) for param in lengths]
        return (*self.params, *fixed)

    @property
    def progress(self) -> str | None:
        """The hyperparameter whose value a run passes through on its way, if there is one; else None."""
        return getattr(self.base, "progress", None)

    def counts(self, config: Mapping[str, ParamValue]) -> bool:
        """Say whether the result of a configuration counts: in a `fixed:` problem that of a whole run."""
        return all(config.get(name, value) == value for name, value in self._fixed.items())

    @property
    def _fixed(self) -> dict[str, ParamValue]:
        """The value of what all runs share, by its name."""
        if "fixed" not in self.prefixes:
            return {}
        length: Any = next(param for param in self.base.params if param.name == getattr(self.base, "progress", None))
        return {length.name: length.space.max}

    def evaluate(self, config: Mapping[str, ParamValue]) -> tuple[float, float] | None:
        """Return objective and cost without noise, None for a run that fails."""
        if "oom" in self.prefixes and LCBench.size(config) > LCBench.memory:
            return None
        return self.base.evaluate({**self._fixed, **config})


def problem(name: str, folders: Folders) -> Variant:
    """Return the problem of a name.

    Raises:
        ValueError: If there is none of that name, or its data are not at hand.
    """
    *prefixes, base = name.split(":")
    world, _, rest = base.partition("-")
    if not folders.hold(name):
        raise ValueError(f"problem {name!r}: name the folder of its data with --yahpo or --curves")
    if unknown := set(prefixes) - {"noisy", "free", "fixed", "oom"}:
        raise ValueError(f"problem {name!r}: unknown prefixes {sorted(unknown)}; known are noisy, free, fixed and oom")
    if "oom" in prefixes and world != "lcbench":
        raise ValueError(f"problem {name!r}: the prefix oom needs a task of LCBench")
    if world == "lcbench":
        found: Problem = LCBench(Path(str(folders.yahpo)), rest)
    elif world == "taskset":
        found = TaskSet(Path(str(folders.curves)) / _TABLE.format(rest))
    elif base in SIMULATORS:
        found = SIMULATORS[base]()
    else:
        raise ValueError(f"problem {name!r} must be lcbench-TASK, taskset-TABLE or one of {sorted(SIMULATORS)}")
    if "fixed" in prefixes and not hasattr(found, "progress"):
        raise ValueError(f"problem {name!r}: the prefix fixed needs runs that have a length")
    return Variant(found, frozenset(prefixes))
