"""The ends of runs that are all equally long: those that were seen, and those that stopped runs would have had."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from carbs.history import ObservationInParam
from carbs.models.groups import Groups, group_successes
from carbs.models.surrogate import Surrogate
from carbs.spaces.search_space import SearchSpace


def group_whole_runs(
    space: SearchSpace, successes: Sequence[ObservationInParam], sign: int, models: Callable[[], Surrogate]
) -> Groups:
    """Group the ends of runs by configuration.

    Args:
        space: The search space, with the fixed values that whole runs have.
        successes: The runs, in order.
        sign: 1 if the objective is maximised, -1 if it is minimised.
        models: Returns the models of all points and ends: they predict the ends of the runs that were stopped, if any.

    Returns:
        The groups, as of `group_successes`.

    Raises:
        ArithmeticError: If the predictions are not finite.
    """
    whole = [run for run in successes if space.is_whole(run.input)]
    stopped = [run for run in successes if not space.is_whole(run.input)]
    if stopped:
        inputs = [{**run.input, **space.fixed} for run in stopped]
        known = models()
        ends = known.expect(space.encode(inputs))
        outputs = sign * known.objective_scaler.backward(ends.objective[:, 0])
        for run, values, output, log_cost in zip(stopped, inputs, outputs, ends.log_cost[:, 0], strict=True):
            whole.append(replace(run, input=values, output=float(output), cost=math.exp(log_cost), points=()))
    return group_successes(space, whole, sign)
