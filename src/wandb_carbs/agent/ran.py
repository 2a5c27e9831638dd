"""Another configuration than the suggestion, which a program ran and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from carbs import ParamDict, SearchSpace
from wandb_carbs.agent.changes import point_run
from wandb_carbs.agent.publisher import suggestion_keys
from wandb_carbs.agent.suggestion import Suggestion, Translation
from wandb_carbs.plain import to_json
from wandb_carbs.record import CHANGES_KEY, PREDICTED_COST_KEY, PREDICTED_OBJECTIVE_KEY, SUGGESTED_KEY

# Nothing was predicted of it.
NO_BELIEFS = dict.fromkeys(
    (
        *(f"{key}{end}" for key in (PREDICTED_OBJECTIVE_KEY, PREDICTED_COST_KEY) for end in ("", "_std")),
        "carbs.success_probability",
        "carbs.expected_improvement",
    )
)


@dataclass(frozen=True)
class RunInstead:
    """A configuration that was run instead of the suggestion.

    Attributes:
        point: The configuration of the search space.
        keys: The flat keys of the run's record for it.
        changed: The values of the run's configuration that are others for it.
    """

    point: ParamDict
    keys: dict[str, Any]
    changed: dict[str, Any]


def run_instead(
    space: SearchSpace, taken: Suggestion, ran: Mapping[str, Any], translation: Translation, run_id: str
) -> RunInstead:
    """Return what a program ran instead of its suggestion.

    Args:
        space: The search space.
        taken: The suggestion.
        ran: The searched values that were run in place of the suggestion's.
        translation: Makes the run's configuration of a point of the search space.
        run_id: The run.

    Raises:
        CarbsError: If `ran` is not in the search space.
    """
    point = point_run(space, taken.point, ran)
    values = translation.configuration(point, run_id)
    recorded = suggestion_keys(point, values, is_apart=taken.values != taken.point)
    changed = {name: value for name, value in values.items() if name in ran or value != taken.values.get(name)}
    replaced = {} if point == taken.point else {SUGGESTED_KEY: to_json(taken.point)}
    return RunInstead(point, {**recorded, **replaced, CHANGES_KEY: "", **NO_BELIEFS}, changed)
