"""Save and load: the definition of a search and its history as JSON with a schema version."""

from __future__ import annotations

import json
import math
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from carbs.config import CARBSParams
from carbs.errors import CarbsError, Problem, refuse
from carbs.history import History, ObservationInParam
from carbs.spaces.search_space import Param, SearchSpace
from carbs.spaces.values import ParamDict

SCHEMA_VERSION = 1


def dump(space: SearchSpace, config: CARBSParams, history: History, initial: Sequence[ParamDict] = ()) -> str:
    """Write a search and its history as JSON.

    Args:
        space: The search space.
        config: The options.
        history: Observations and outstanding suggestions.
        initial: Configurations to run first.

    Returns:
        The JSON text.
    """
    places = {id(run): place for place, run in enumerate(history.observations)}
    sources = {
        name: {key: None if run is None else places[id(run)] for key, run in runs.items()}
        for name, runs in history.sources.items()
    }
    document = {
        "schema_version": SCHEMA_VERSION,
        "params": [param.to_dict() for param in space.params],
        "config": config.to_dict(),
        "successes": [_written(success) for success in history.successes],
        "failures": [_written(failure) for failure in history.failures],
        "outstanding": history.pending,
        **({"initial": list(initial)} if initial else {}),
        # Which runs of a sweep the observations are, by their places among successes and failures: read again after
        # loading, the sweep must not count twice.
        **({"sources": sources} if sources else {}),
    }
    return json.dumps(document, indent=1, allow_nan=False)


def _written(observation: ObservationInParam) -> dict[str, Any]:
    return {
        "input": observation.input,
        **({} if observation.is_failure else {"output": observation.output}),
        "cost": observation.cost,
        **({"is_old": True} if observation.is_old else {}),
        **({"points": [_written(point) for point in observation.points]} if observation.points else {}),
    }


def _read(written: Mapping[str, Any], *, is_failure: bool = False) -> ObservationInParam:
    return ObservationInParam(
        written["input"],
        math.nan if is_failure else written["output"],
        written.get("cost", 1.0) if is_failure else written["cost"],  # older checkpoints have no cost of a failure
        is_failure=is_failure,
        is_old=written.get("is_old", False),
        points=[_read(point) for point in written.get("points", ())],
    )


def parse(text: str | bytes) -> tuple[tuple[Param, ...], CARBSParams, History, list[ParamDict]]:
    """Read what `dump` wrote.

    Args:
        text: The JSON text, or a file of it.

    Returns:
        The hyperparameters, the options, the history and the configurations to run first.

    Raises:
        CarbsError: If it is not a checkpoint, names what is wrong with it.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:  # also bytes that are no text, and integers without end
        raise CarbsError(f"not a checkpoint: {error}") from error
    params, config = _parse_definition(document)
    history = History(SearchSpace(params))
    try:
        for success in document["successes"]:
            history.add(_read(success))
        for failure in document["failures"]:
            history.add(_read(failure, is_failure=True))
        for suggestion_id, values in document["outstanding"].items():
            history.remember(suggestion_id, values)
        observations = history.observations
        for name, runs in document.get("sources", {}).items():
            found = {key: None if place is None else observations[place] for key, place in runs.items()}
            history.attribute(name, found)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise CarbsError(f"not a checkpoint: {error!r}") from error
    return params, config, history, document.get("initial", [])


def _parse_definition(document: Any) -> tuple[tuple[Param, ...], CARBSParams]:
    """Read the hyperparameters and the options."""
    version = document.get("schema_version") if isinstance(document, Mapping) else None
    if version != SCHEMA_VERSION:
        problem = Problem("", "schema_version", version, f"must be {SCHEMA_VERSION}")
        raise refuse(problem, "not a CARBS definition")
    params, config = document.get("params"), document.get("config")
    if not isinstance(params, Sequence) or isinstance(params, str) or not isinstance(config, Mapping):
        problem = Problem("", "", None, "params must be a list and config an object", "")
        raise refuse(problem, "not a CARBS definition")
    return tuple(Param.from_dict(param) for param in params), CARBSParams(**config)


def write(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to a file so that a crash leaves the old or the new content, never half of it."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
