"""Changes of searched values in `wandb.config`. The SDK's lock refuses them, and may say nothing of it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from carbs import ParamDict, SearchSpace
from carbs.errors import Problem, raise_problems, refuse
from carbs.spaces.values import SUGGESTION_ID_KEY
from carbs.values import is_dictionary
from wandb_carbs.agent.arguments import other_values
from wandb_carbs.plain import plain

logger = logging.getLogger("wandb_carbs")

_REFUSED = re.compile(r"Config item '([^']+)' was locked by 'sweep' \(ignored update\)")


class RefusedChangeWarning(UserWarning):
    """The program gave a searched parameter another value than the suggestion, which `wandb.config` did not take."""


def watch(config: Any, values: Mapping[str, Any], tell: Callable[[dict[str, Any]], object]) -> None:
    """Notice every attempt to give a searched parameter another value, by any of the ways that a configuration has.

    A value inside a dictionary that is written counts, too: `{"opt": {"lr": …}}` is `opt.lr`. The
    configuration's class is replaced by one that looks at what was written.

    Args:
        config: A run's configuration.
        values: The values that are locked in it.
        tell: Called with the new values of each attempt.
    """
    kind = type(config)

    def look(items: Mapping[str, Any]) -> None:
        if changed := other_values(items, values):
            tell(changed)

    class Watched(kind):  # type: ignore[misc, valid-type]
        def __setitem__(self, key: str, value: Any) -> None:
            super().__setitem__(key, value)
            look({key: value})

        __setattr__ = __setitem__

        def update(self, d: Any, *args: Any, **kwargs: Any) -> None:
            super().update(d, *args, **kwargs)
            look(_items(d))

        def __reduce_ex__(self, protocol: Any) -> Any:
            # A copy, or what another process gets, is a plain configuration.
            return _plain, (kind, dict(self.__dict__))

    try:
        # Its own assignment of attributes would make an entry of it.
        object.__setattr__(config, "__class__", Watched)
    except TypeError as error:
        logger.debug("Changes of wandb.config are not noticed: %s", error)


def _plain(kind: type[Any], state: Mapping[str, Any]) -> Any:
    made = object.__new__(kind)
    made.__dict__.update(state)
    return made


def explain(changed: Mapping[str, Any], values: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Say what was refused, and the ways out.

    A program may have taken the lock away before, or nest a value that has its dotted name in the sweep.
    """
    is_locked = not other_values(config, values).keys() & changed.keys()
    fate = (
        "W&B refuses it, and wandb.config keeps the suggestion"
        if is_locked
        else "wandb.config has its values now, and the run is recorded for others"
    )
    differences = ", ".join(f"{name}={value!r} (suggested: {values[name]!r})" for name, value in changed.items())
    ran = ", ".join(f"{name!r}: …" for name in changed)
    return (
        f"the program sets searched parameters in wandb.config: {differences}. {fate}. "
        "If the program trains with its own values, the search learns from the wrong configuration. "
        f"Train with wandb.config, or say what was run: record_observation(…, ran={{{ran}}})"
    )


def refused_in(words: str) -> list[str]:
    """Return the searched parameters that a program tried to change, by what the SDK said on its standard error."""
    return sorted(set(_REFUSED.findall(words)))


def point_run(space: SearchSpace, suggested: ParamDict, ran: Any) -> ParamDict:
    """Return the point of the search space that was run in place of the suggested one.

    Args:
        space: The search space.
        suggested: The suggestion in it.
        ran: The user's values of some hyperparameters, as a dictionary; the suggestion's own identifier may be in it.

    Raises:
        CarbsError: If `ran` is no dictionary, names anything but hyperparameters, or a value is outside its space.
    """
    subject = "ran cannot be learnt from"
    if not is_dictionary(ran):
        rule = "must be a dictionary of hyperparameters' values, such as {'lr': 0.002}"
        raise refuse(Problem("", "ran", ran, rule), subject)
    values = {name: value for name, value in plain(dict(ran)).items() if name != SUGGESTION_ID_KEY}
    point = {**suggested, **values}
    unknown = [space.unknown(name, value, "") for name, value in values.items() if name not in space.names]
    raise_problems(subject, [*unknown, *space.problems_with(point)])
    return point


def _items(d: Any) -> Mapping[str, Any]:
    """Return what `wandb.config.update` takes as a mapping: one, or an object with attributes, such as argparse's."""
    if isinstance(d, Mapping):
        return d
    flags = getattr(d, "flag_values_dict", None)  # absl's
    if callable(flags):
        found: Mapping[str, Any] = flags()
        return found
    return getattr(d, "__dict__", {})
