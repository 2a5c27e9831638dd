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
_CHECKPOINTS = "use carbs.save(path) and CARBS.load(path); an old checkpoint, which is a pickle, cannot be read"
_SAVE = "use carbs.save(path)"
_LOAD = "use CARBS.load(path); an old checkpoint, which is a pickle, cannot be read"
_GONE = {
    "RealNumberSpace": _SPACES,
    "ParamSpace": _SPACES,
    "ObservationInBasic": _TENSORS,
    "ObservationGroup": _TENSORS,
    "SurrogateModelParams": _TENSORS,
    "load_observations_from_wandb_run": "use wandb_carbs.carbs_from_sweep(sweep)",
    "load_latest_checkpoint_from_wandb_run": "use wandb_carbs.carbs_from_sweep(sweep)",
    "load_checkpoint_from_wandb_run": "use wandb_carbs.carbs_from_sweep(sweep)",
    "get_checkpoint_obs_count": _CHECKPOINTS,
    "CARBS_CHECKPOINT_PREFIX": _CHECKPOINTS,
    "CARBS_CHECKPOINT_SUFFIX": _CHECKPOINTS,
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


class _Gone:
    """A member that is no more: it is not there, and says what to use.

    Args:
        instead: What to use.
    """

    def __init__(self, instead: str) -> None:
        self._instead = instead

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        raise AttributeError(f"CARBS.{self._name} is a name of the old package; {self._instead}")


class ObserveLogs(dict[str, Any]):
    """The numbers that `observe` returns. Names that the old one had in their place work, and warn.

    What they mean is computed when one is read: each would take as long as there are observations.

    Args:
        history: All observations.
        observation: The last one, as it is kept.
        sign: 1 if the search maximises, -1 if it minimises.
    """

    def __init__(self, history: History, observation: ObservationInParam, sign: int) -> None:
        successes, failures = history.successes, history.failures
        super().__init__(num_successes=len(successes), num_failures=len(failures))
        self._successes, self._observation, self._sign = successes, observation, sign

    def __missing__(self, key: str) -> Any:
        old = self._old()
        if key not in old:
            raise KeyError(key)
        warn_of(f"ObserveOutput.logs[{key!r}]", "the observation that you gave, and carbs.success_observations")
        return old[key]

    def _old(self) -> dict[str, Any]:
        successes = self._successes[: self["num_successes"]]  # those until then
        best = max(successes, key=lambda run: self._sign * run.output, default=None)
        return {
            "observation_count": self["num_successes"] + self["num_failures"],
            "failed_observation_count": self["num_failures"],
            "cumulative_cost": math.fsum(run.cost for run in successes),
            "observation/is_failure": int(self._observation.is_failure),
            **({} if best is None else _flat("best_observation/", best)),
            **_flat("observation/", self._observation),
        }


def _flat(prefix: str, run: ObservationInParam) -> dict[str, Any]:
    values = run.input if run.is_failure else {**run.input, "output": run.output, "cost": run.cost}
    return {f"{prefix}{name}": value for name, value in values.items()}


class LegacyNames:
    """Members of `CARBS` that only old programs use."""

    _history: History

    save_to_file = _Gone(_SAVE)
    serialize = _Gone(_SAVE)
    get_state_dict = _Gone(_SAVE)
    load_from_file = _Gone(_LOAD)
    load_from_string = _Gone(_LOAD)
    load_state_dict = _Gone(_LOAD)
    warm_start_from_wandb = _Gone("use carbs.warm_start(carbs_from_sweep(sweep)), with carbs_from_sweep of wandb_carbs")
    set_search_center = _Gone("give Param(…, search_center=…)")
    get_surrogate_model = _Gone("use carbs.insight.Insight")
    _remember_suggestion = _Gone("use carbs.remember_suggestion(values, id)")
    _set_seed = _Gone("give CARBSParams(seed=…)")

    @property
    def cumulative_cost(self) -> float:
        """The cost of all successes together."""
        warn_of("CARBS.cumulative_cost", "the costs of success_observations")
        return math.fsum(observation.cost for observation in self._history.successes)

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
