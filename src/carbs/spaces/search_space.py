"""Hyperparameters, and the search space that they span together."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, cast

import numpy as np

from carbs.arrays import Array
from carbs.errors import CarbsError, Problem, did_you_mean, raise_problems, refuse
from carbs.spaces.categorical import ChoiceSpace
from carbs.spaces.numeric import NumericSpace
from carbs.spaces.space import SPACES, Space
from carbs.spaces.values import INFINITY, SUGGESTION_ID_KEY, ParamDict, ParamValue, as_json
from carbs.values import is_dictionary, is_finite, plain, shown


@dataclass(frozen=True)
class Param:
    """A hyperparameter: its name, its space, and where to start.

    Attributes:
        name: Its key in suggestions and in the run's configuration.
        space: The values that it may take.
        search_center: The value to start from; None means no opinion (the search then spreads over bounded spaces).
            The first suggestion is the centres themselves; where a space has a `rounding_factor`, the nearest multiple.
            That of an integer space is rounded to a whole number, with a warning.
        fixed: The value that every suggestion has, None where it is searched. It is for the length of runs that are all
            equally long: points on the way of a run have the smaller values. It is the search centre, too.
    """

    name: str
    space: Space
    search_center: ParamValue | None = None
    fixed: ParamValue | None = None

    def __post_init__(self) -> None:
        for name in ("name", "search_center", "fixed"):
            object.__setattr__(self, name, as_json(getattr(self, name)))
        center: Any = self.search_center
        if isinstance(self.space, NumericSpace) and self.space.is_integer is True and is_finite(center):
            whole = round(center)
            if whole != center:
                warnings.warn(
                    f"parameter {self.name!r}: search_center={center!r} of an integer space is rounded to {whole}",
                    stacklevel=3,
                )
                object.__setattr__(self, "search_center", whole)

    @property
    def center(self) -> ParamValue:
        """The fixed value, else the search centre, else the space's default one."""
        given = self.search_center if self.fixed is None else self.fixed
        return self.space.default_center if given is None else given

    @property
    def settled_space(self) -> Space:
        """The space with its scale settled."""
        return self.space if isinstance(self.space, ChoiceSpace) else self.space.scaled_around(float(self.center))

    def problems(self) -> list[Problem]:
        """List the broken rules of this definition; empty if it is valid."""
        subject = f"parameter name {shown(self.name)}"
        if not isinstance(self.name, str) or not self.name:
            return [Problem("", "name", self.name, "must be a non-empty string", subject)]
        if self.name == SUGGESTION_ID_KEY:
            return [Problem("", "name", self.name, "is reserved for the identifier of a suggestion", subject)]
        place = f"parameter {self.name!r}"
        if not isinstance(self.space, tuple(SPACES.values())):
            return [Problem(place, "space", self.space, "must be one of carbs' spaces")]
        found = self.space.problems()
        if not found:
            for name, value in (("search_center", self.search_center), ("fixed", self.fixed)):
                space = self.settled_space if is_finite(value) else self.space
                problem = None if value is None else space.problem_with(value)
                if problem:
                    found.append(Problem("", name, value, problem))
        if self.search_center is not None and self.fixed is not None:
            rule = f"must be left out with fixed={shown(self.fixed)}, which every suggestion has"
            found.append(Problem("", "search_center", self.search_center, rule))
        return [replace(problem, place=place) for problem in found]

    def to_dict(self) -> dict[str, Any]:
        """Return a description that JSON can hold; infinite bounds are left out."""
        space = {
            key: value
            for key, value in asdict(self.space).items()
            if value is not None and value not in (INFINITY, -INFINITY)
        }
        described: dict[str, Any] = {"name": self.name, "space": {"kind": self.space.kind, **space}}
        if isinstance(self.space, ChoiceSpace):
            described["space"]["choices"] = list(self.space.choices)
        if self.search_center is not None:
            described["search_center"] = self.search_center
        if self.fixed is not None:
            # Among the keys of the space: a version that would search it refuses them.
            described["space"]["fixed"] = self.fixed
        return described

    @classmethod
    def from_dict(cls, described: Mapping[str, Any]) -> Param:
        """Build a parameter from what `to_dict` returned.

        Raises:
            CarbsError: If the description is not one of a parameter.
        """
        try:
            space = dict(described["space"])
            kind, fixed = space.pop("kind"), space.pop("fixed", None)
            return cls(described["name"], SPACES[kind](**space), described.get("search_center"), fixed)
        except (KeyError, TypeError, ValueError) as error:
            raise CarbsError(f"{shown(described)} is not the description of a parameter: {error!r}") from error


@dataclass(frozen=True)
class SearchSpace:
    """The product of all parameters' spaces, with vectorised maps between values and search coordinates.

    Attributes:
        params: The parameters, in the order of their coordinates.

    Raises:
        CarbsError: If a parameter is badly defined; names every problem.
    """

    params: tuple[Param, ...]
    columns: tuple[slice, ...] = field(init=False, repr=False)
    spaces: tuple[Space, ...] = field(init=False, repr=False)  # with their scales settled

    def __post_init__(self) -> None:
        if isinstance(self.params, (str, Mapping)) or not isinstance(self.params, Iterable):
            raise refuse(Problem("", "params", self.params, "must be a list of Param"), "invalid search space")
        object.__setattr__(self, "params", tuple(self.params))
        problems = [] if self.params else [Problem("", "params", (), "at least one parameter is needed", "")]
        for param in self.params:
            if isinstance(param, Param):
                problems += param.problems()
            else:
                problems.append(Problem("", "params", param, "must be a Param", shown(param)))
        names = [param.name for param in self.params if isinstance(param, Param) and isinstance(param.name, str)]
        problems += [
            Problem(
                "",
                "name",
                name,
                f"is used {names.count(name)} times; names must be unique",
                f"parameter name {name!r}",
            )
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        if self.params and not problems and all(param.fixed is not None for param in self.params):
            problems.append(Problem("", "params", (), "at least one parameter must not be fixed", ""))
        raise_problems("invalid search space", problems)
        spaces = tuple(param.settled_space for param in self.params)
        object.__setattr__(self, "spaces", spaces)
        ends = np.cumsum([space.width for space in spaces]).tolist()
        object.__setattr__(
            self, "columns", tuple(slice(end - space.width, end) for end, space in zip(ends, spaces, strict=True))
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names."""
        return tuple(param.name for param in self.params)

    @property
    def width(self) -> int:
        """Number of search coordinates, D."""
        return len(self.bounds[0])

    @cached_property
    def bounds(self) -> tuple[Array, Array]:
        """Smallest and largest search coordinates, each of shape (D,); infinite where a space is open."""
        both = np.array([space.coordinate_bounds for space in self.spaces for _ in range(space.width)])
        return both[:, 0], both[:, 1]

    @cached_property
    def longest_first_steps(self) -> Array:
        """How far a first step from the search centre may go in each search coordinate, shape (D,); may be infinite."""
        return np.array([space.longest_first_step for space in self.spaces for _ in range(space.width)])

    @cached_property
    def center(self) -> Array:
        """Search coordinates of the search centre, shape (D,)."""
        center: Array = self.encode([{param.name: param.center for param in self.params}])[0]
        return center

    @cached_property
    def middle(self) -> Array:
        """Search coordinates of the middle of the space, where it is bounded, and else of its centre, shape (D,)."""
        low, high = self.bounds
        is_bounded = np.isfinite(low) & np.isfinite(high)
        return np.where(is_bounded, (np.where(is_bounded, low, 0.0) + np.where(is_bounded, high, 0.0)) / 2, self.center)

    @cached_property
    def fixed(self) -> ParamDict:
        """The values that every suggestion has, by the names of their parameters."""
        return {param.name: param.fixed for param in self.params if param.fixed is not None}

    def is_whole(self, values: Mapping[str, ParamValue]) -> bool:
        """Say whether a configuration has the fixed values: it is no point on the way of a run, and no stopped run."""
        return not self.missed(values)

    def missed(self, values: Mapping[str, Any]) -> ParamDict:
        """Return the fixed values in place of which a configuration, or a part of one, has others."""
        return {name: value for name, value in self.fixed.items() if values.get(name, value) != value}

    @cached_property
    def searched(self) -> SearchSpace:
        """The space of the parameters that are searched."""
        return SearchSpace(tuple(param for param in self.params if param.fixed is None)) if self.fixed else self

    @property
    def has_given_center(self) -> bool:
        """Whether the user named the search centre of at least one parameter."""
        return any(param.search_center is not None for param in self.params)

    def encode(self, values: Sequence[Mapping[str, ParamValue]]) -> Array:
        """Map n configurations to search coordinates, shape (n, D)."""
        if not values:
            return np.empty((0, self.width))
        return np.hstack(
            [
                space.encode([value[name] for value in values])
                for name, space in zip(self.names, self.spaces, strict=True)
            ]
        )

    def decode(self, coordinates: Array) -> list[ParamDict]:
        """Map search coordinates, shape (n, D), to legal configurations of plain Python values."""
        by_param = [self._decode(place, coordinates[:, columns]) for place, columns in enumerate(self.columns)]
        return [dict(zip(self.names, row, strict=True)) for row in zip(*by_param, strict=True)]

    def _decode(self, place: int, coordinates: Array) -> list[ParamValue]:
        """Map the search coordinates of one parameter to values; where they are its centre's, to the very centre."""
        space = self.spaces[place]
        param = self.params[place]
        center: Any = param.search_center if param.fixed is None else param.fixed
        values = space.decode(coordinates)
        if center is None or isinstance(space, ChoiceSpace):
            return values
        # Others are cut to the twelve digits that the transform leaves exact.
        exact, is_center = space.nearest(center), coordinates[:, 0] == space.encode([center])[0, 0]
        return [exact if here else value for here, value in zip(is_center, values, strict=True)]

    def round(self, coordinates: Array) -> Array:
        """Move search coordinates, shape (n, D), onto the nearest legal configurations."""
        return np.hstack(
            [space.round(coordinates[:, columns]) for space, columns in zip(self.spaces, self.columns, strict=True)]
        )

    def problems_with(self, values: Mapping[str, Any]) -> list[Problem]:
        """List why `values` is not a configuration of this space; keys of other names are allowed."""
        if not is_dictionary(values):
            return [Problem("", "", values, "must be a dictionary of the parameters' values", shown(values))]
        problems = []
        for name, space in zip(self.names, self.spaces, strict=True):
            if name not in values:
                problems.append(Problem("", name, None, "is missing", f"parameter {name!r}"))
                continue
            problem = space.problem_with(values[name])
            if problem:
                subject = f"value {shown(values[name])}"
                problems.append(Problem(f"parameter {name!r}", name, values[name], problem, subject))
        return problems

    def unknown(self, name: Any, value: Any, place: str) -> Problem:
        """Return the problem of a name that is no hyperparameter's, at a `place` of the input."""
        rule = f"is unknown{did_you_mean(name, self.names)}; known are {', '.join(self.names)}"
        return Problem(place, str(name), value, rule, f"parameter {name!r}")

    def select(self, values: Mapping[str, Any]) -> ParamDict:
        """Return just this space's parameters of `values`, in order, as plain Python values."""
        return {
            name: space.own(values[name]) if isinstance(space, ChoiceSpace) else plain(values[name])
            for name, space in zip(self.names, self.spaces, strict=True)
        }


def as_space(space: SearchSpace | Sequence[Param]) -> SearchSpace:
    """Return the search space that `space`, one itself or its parameters, stands for.

    Raises:
        CarbsError: If it is neither, or a parameter is badly defined.
    """
    return space if isinstance(space, SearchSpace) else SearchSpace(cast("tuple[Param, ...]", space))
