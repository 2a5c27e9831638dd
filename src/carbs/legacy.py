"""Names of the old `carbs` that programs use: each works, and warns of its replacement."""

from __future__ import annotations

import json
import math
import warnings
from typing import Any

from carbs.history import History, ObservationInParam, SuggestOutput
from carbs.spaces.values import SUGGESTION_ID_KEY, ParamDict, ParamValue

# Names that the package exported, with what to write now, and what they mean.
_RENAMED: dict[str, tuple[str, Any]] = {
    "ParamDictType": ("carbs.ParamDict", ParamDict),
    "ParamType": ("carbs.ParamValue", ParamValue),
    "SuggestionInBasic": ("carbs.SuggestOutput", SuggestOutput),
    "SUGGESTION_ID_DICT_KEY": (repr(SUGGESTION_ID_KEY), SUGGESTION_ID_KEY),
}
_SPACES = "spaces of your own cannot be searched here: use Pow2Space, OrdinalSpace, CategoricalSpace or LogSpace"
_TENSORS = "the old optimizer's tensors are gone: read carbs.success_observations, or use carbs.insight.Insight"
_GONE = {
    "RealNumberSpace": _SPACES,
    "ParamSpace": _SPACES,
    "ObservationInBasic": _TENSORS,
    "ObservationGroup": _TENSORS,
    "SurrogateModelParams": _TENSORS,
    "load_observations_from_wandb_run": "use wandb_carbs.carbs_from_sweep(sweep)",
    "load_latest_checkpoint_from_wandb_run": "use wandb_carbs.carbs_from_sweep(sweep)",
}


def warn_of(old: str, new: str, *, stacklevel: int = 3) -> None:
    """Warn that a name of the old package is used."""
    warnings.warn(f"{old} is a name of the old package; use {new}", DeprecationWarning, stacklevel=stacklevel)


def renamed(name: str) -> Any:
    """Return what an old name of the package means.

    Raises:
        ImportError: If it has no meaning here; says what to use. (Of an AttributeError `from carbs import …` would
            hide the words.)
        AttributeError: If it is not one.
    """
    if name in _GONE:
        raise ImportError(f"carbs.{name} is a name of the old package; {_GONE[name]}")
    if name not in _RENAMED:
        raise AttributeError(f"module 'carbs' has no attribute {name!r}")
    new, meaning = _RENAMED[name]
    warn_of(f"carbs.{name}", new, stacklevel=4)
    return meaning


class ObserveLogs(dict[str, Any]):
    """The numbers that `observe` returns. Names that the old one had in their place work, and warn.

    Args:
        history: All observations.
        observation: The last one, as it is kept.
        sign: 1 if the search maximises, -1 if it minimises.
    """

    def __init__(self, history: History, observation: ObservationInParam, sign: int) -> None:
        successes, failures = history.successes, history.failures
        super().__init__(num_successes=len(successes), num_failures=len(failures))
        self._old: dict[str, Any] = {
            "observation_count": len(successes) + len(failures),
            "failed_observation_count": len(failures),
            "cumulative_cost": math.fsum(run.cost for run in successes),
            "observation/is_failure": int(observation.is_failure),
        }
        if successes:
            best = max(successes, key=lambda run: sign * run.output)
            self._old.update(_flat("best_observation/", best))
        self._old.update(_flat("observation/", observation))

    def __missing__(self, key: str) -> Any:
        if key not in self._old:
            raise KeyError(key)
        warn_of(f"ObserveOutput.logs[{key!r}]", "the observation that you gave, and carbs.success_observations")
        return self._old[key]


def _flat(prefix: str, run: ObservationInParam) -> dict[str, Any]:
    values = run.input if run.is_failure else {**run.input, "output": run.output, "cost": run.cost}
    return {f"{prefix}{name}": value for name, value in values.items()}


class LegacyNames:
    """Members of `CARBS` that only old programs use."""

    _history: History

    def _is_random_sampling(self: Any) -> bool:
        warn_of("CARBS._is_random_sampling()", "CARBS.num_awaited > 0")
        return bool(self.num_awaited > 0)

    @property
    def observation_count(self) -> int:
        """How many observations there are, those of failed runs among them."""
        warn_of("CARBS.observation_count", "the lengths of success_observations and failure_observations")
        return len(self._history.successes) + len(self._history.failures)

    @property
    def resample_count(self) -> int:
        """How many observations repeat a configuration that was observed before."""
        warn_of("CARBS.resample_count", "SuggestOutput.log['kind'] == 'resample'")
        seen = [json.dumps(observation.input, sort_keys=True) for observation in self._history.successes]
        return len(seen) - len(set(seen))
