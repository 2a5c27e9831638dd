"""Draws from a sweep's search space: random and grid search over W&B's parameter distributions."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from wandb_carbs.plain import put_at
from wandb_carbs.server.errors import RequestError, shortened

METHODS = ("random", "grid", "bayes", "custom")

# name -> the settings it needs and those it may have
_DISTRIBUTIONS: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "constant": (frozenset({"value"}), frozenset()),
    "categorical": (frozenset({"values"}), frozenset()),
    "categorical_w_probabilities": (frozenset({"values", "probabilities"}), frozenset()),
    "uniform": (frozenset({"min", "max"}), frozenset()),
    "int_uniform": (frozenset({"min", "max"}), frozenset()),
    "q_uniform": (frozenset({"min", "max"}), frozenset({"q"})),
    "log_uniform": (frozenset({"min", "max"}), frozenset()),
    "log_uniform_values": (frozenset({"min", "max"}), frozenset()),
    "q_log_uniform": (frozenset({"min", "max"}), frozenset({"q"})),
    "q_log_uniform_values": (frozenset({"min", "max"}), frozenset({"q"})),
    "inv_log_uniform": (frozenset({"min", "max"}), frozenset()),
    "inv_log_uniform_values": (frozenset({"min", "max"}), frozenset()),
    "normal": (frozenset(), frozenset({"mu", "sigma"})),
    "q_normal": (frozenset(), frozenset({"mu", "sigma", "q"})),
    "log_normal": (frozenset(), frozenset({"mu", "sigma"})),
    "q_log_normal": (frozenset(), frozenset({"mu", "sigma", "q"})),
    "beta": (frozenset(), frozenset({"a", "b"})),
    "q_beta": (frozenset(), frozenset({"a", "b", "q"})),
}
_DEFAULTS = {"mu": 0.0, "sigma": 1.0, "q": 1.0, "a": 1.0, "b": 1.0}
# Larger whole numbers have gaps as floats.
_MAX_STEPS = 2.0**53
_POSITIVE = {"sigma", "q", "a", "b"}


@dataclass(frozen=True)
class Distribution:
    """One parameter's distribution.

    Attributes:
        path: Where the value belongs: the parameter's name, after the names of the parameters that it is nested in.
        draw: Returns a random value.
        grid: The values of a grid search, or None when there is no finite grid.
    """

    path: tuple[str, ...]
    draw: Callable[[random.Random], Any]
    grid: Callable[[int], Any] | None
    grid_size: int


@dataclass(frozen=True)
class SearchSpace:
    """A sweep's search space and method."""

    method: str
    distributions: tuple[Distribution, ...]

    def suggest(self, seed: int, index: int) -> dict[str, Any] | None:
        """Return the parameters of the sweep's next run.

        Args:
            seed: The sweep's seed.
            index: How many runs were suggested before.

        Returns:
            Values by parameter, or None when the grid is exhausted.
        """
        values: list[Any] = []
        if self.method == "grid":
            for distribution in reversed(self.distributions):
                index, place = divmod(index, distribution.grid_size)
                assert distribution.grid is not None
                values.append(distribution.grid(place))
            if index:
                return None
            values.reverse()
        else:
            # One generator per run: a server that restarts continues where it was.
            generator = random.Random(f"{seed}:{index}")  # noqa: S311 - no cryptography
            values = [distribution.draw(generator) for distribution in self.distributions]
        nested: dict[str, Any] = {}
        for distribution, value in zip(self.distributions, values, strict=True):
            put_at(nested, distribution.path, value)
        return nested


def search_space(config: Mapping[str, Any]) -> SearchSpace:
    """Read a sweep's configuration.

    Args:
        config: The configuration, parsed from YAML.

    Raises:
        RequestError: The method or a parameter is invalid; the message names all of them.
    """
    method = config.get("method")
    if method not in METHODS:
        raise RequestError(f"method {method!r} must be one of {', '.join(METHODS)}")
    parameters = config.get("parameters")
    if not isinstance(parameters, Mapping) or not parameters:
        raise RequestError("'parameters' must be a mapping of at least one parameter")
    problems: list[str] = []
    distributions = tuple(_read(parameters, (), problems))
    if method == "grid":
        problems += [
            f"parameter {'.'.join(d.path)}: grid search needs 'values', 'value', or int_uniform or q_uniform bounds"
            for d in distributions
            if d.grid is None
        ]
    if problems:
        raise RequestError("; ".join(problems))
    return SearchSpace(method, distributions)


def _read(parameters: Mapping[Any, Any], prefix: tuple[str, ...], problems: list[str]) -> list[Distribution]:
    found: list[Distribution] = []
    for name, settings in parameters.items():
        path = (*prefix, str(name))
        if not isinstance(settings, Mapping):
            problems.append(f"parameter {'.'.join(path)}: {settings!r} must be a mapping")
        elif isinstance(settings.get("parameters"), Mapping):
            problems += [
                f"parameter {'.'.join(path)}: {key!r} stands beside 'parameters'; move it into 'parameters'"
                for key in settings
                if key != "parameters"
            ]
            found += _read(settings["parameters"], path, problems)
        else:
            try:
                found.append(_distribution(path, settings))
            except RequestError as error:
                problems.append(f"parameter {'.'.join(path)}: {error}")
    return found


def _name_of(settings: Mapping[str, Any]) -> str:
    name = settings.get("distribution")
    if name is not None:
        if name == "categorical" and settings.get("probabilities") is not None:
            return "categorical_w_probabilities"
        return str(name)
    if "value" in settings:
        return "constant"
    if "values" in settings:
        return "categorical" if settings.get("probabilities") is None else "categorical_w_probabilities"
    if "min" in settings and "max" in settings:
        whole = all(isinstance(settings[k], int) and not isinstance(settings[k], bool) for k in ("min", "max"))
        return "int_uniform" if whole else "uniform"
    if "mu" in settings or "sigma" in settings:
        return "normal"
    raise RequestError("needs 'value', 'values', 'min' and 'max', or 'distribution'")


def _distribution(path: tuple[str, ...], settings: Mapping[str, Any]) -> Distribution:
    name = _name_of(settings)
    if name not in _DISTRIBUTIONS:
        raise RequestError(f"unknown distribution {name!r}")
    needed, optional = _DISTRIBUTIONS[name]
    missing = sorted(needed - settings.keys())
    if missing:
        raise RequestError(f"{name} needs {' and '.join(missing)}")
    if name == "constant":
        value = settings["value"]
        return Distribution(path, lambda _: value, lambda _: value, 1)
    if name.startswith("categorical"):
        return _categorical(path, settings)
    numbers = {key: _number(key, settings.get(key, _DEFAULTS.get(key))) for key in needed | optional}
    if "min" in numbers and numbers["min"] > numbers["max"]:
        raise RequestError(f"min {numbers['min']!r} must not exceed max {numbers['max']!r}")
    if name.endswith("_values") and numbers["min"] <= 0:
        raise RequestError(f"{name} needs a positive min, not {numbers['min']!r}")
    return _numeric(path, name, numbers)


def _categorical(path: tuple[str, ...], settings: Mapping[str, Any]) -> Distribution:
    values, weights = settings["values"], settings.get("probabilities")
    if not isinstance(values, list) or not values:
        raise RequestError(f"values {shortened(repr(values), 100)} must be a list of at least one value")
    if weights is not None:
        if not isinstance(weights, list) or len(weights) != len(values):
            raise RequestError(f"probabilities {weights!r} must be a list as long as values")
        weights = [_number("probabilities", weight) for weight in weights]
        if min(weights) < 0 or not sum(weights) > 0:
            raise RequestError(f"probabilities {weights!r} must not be negative and must sum to 1")
    return Distribution(path, lambda rng: rng.choices(values, weights)[0], values.__getitem__, len(values))


def _number(key: str, value: Any) -> float:
    try:
        # YAML 1.1 reads 1e-5 as a string.
        number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else float(str(value))
        finite = math.isfinite(number)
    except (ValueError, OverflowError):
        finite = False
    if not finite:
        raise RequestError(f"{key} {value!r} must be a finite number")
    if key in _POSITIVE and number <= 0:
        raise RequestError(f"{key} {value!r} must be positive")
    return number


def _numeric(path: tuple[str, ...], name: str, numbers: Mapping[str, float]) -> Distribution:
    low, high, q = numbers.get("min", -math.inf), numbers.get("max", math.inf), numbers.get("q")
    if name == "int_uniform":
        first, last = math.ceil(low), math.floor(high)
        if first > last:
            raise RequestError(f"int_uniform needs an integer between min {low!r} and max {high!r}")
        return Distribution(path, lambda rng: rng.randint(first, last), lambda i: first + i, last - first + 1)
    draw = _sampler(name.removeprefix("q_"), numbers)
    if q is None:
        return Distribution(path, draw, None, 0)
    if name == "q_log_uniform":
        low, high = _exp(low), _exp(high)
    _check_steps(low, high, q)
    least = math.ceil(low / q - 1e-9) if math.isfinite(low) else None
    most = math.floor(high / q + 1e-9) if math.isfinite(high) else None
    if least is not None and most is not None and least > most:
        raise RequestError(f"{name} needs a multiple of q {q!r} between min {low!r} and max {high!r}")

    def multiple(steps: int) -> float:
        value = steps * q
        # Undo the binary dust of the product, as 3 * 0.1 is not 0.3.
        return int(value) if float(q).is_integer() else float(f"{value:.12g}")

    def quantized(rng: random.Random) -> float:
        value = draw(rng)
        if abs(value) > _MAX_STEPS * q:
            return value  # its neighbours among the numbers are further away than q
        steps = round(value / q)
        steps = steps if least is None else max(steps, least)
        return multiple(steps if most is None else min(steps, most))

    if name == "q_uniform":
        assert least is not None
        assert most is not None
        start = least
        return Distribution(path, quantized, lambda i: multiple(start + i), most - least + 1)
    return Distribution(path, quantized, None, 0)


def _check_steps(low: float, high: float, q: float) -> None:
    if any(math.isfinite(bound) and abs(bound) / q > _MAX_STEPS for bound in (low, high)):
        raise RequestError(f"q {q!r} is too small for min {low!r} and max {high!r}: numbers have 16 digits")


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        raise RequestError(f"exp({value!r}) overflows; bounds of log_uniform are exponents") from None


def _sampler(name: str, numbers: Mapping[str, float]) -> Callable[[random.Random], float]:
    if name in {"normal", "log_normal"}:
        mu, sigma = numbers["mu"], numbers["sigma"]
        if name == "normal":
            return lambda rng: rng.gauss(mu, sigma)
        return lambda rng: math.exp(min(rng.gauss(mu, sigma), 700.0))  # exp overflows above 709
    if name == "beta":
        return lambda rng: rng.betavariate(numbers["a"], numbers["b"])
    low, high = numbers["min"], numbers["max"]
    if name == "uniform":
        return lambda rng: rng.uniform(low, high)
    if name == "log_uniform":
        least, most = _exp(low), _exp(high)
    elif name == "inv_log_uniform":
        least, most = _exp(-high), _exp(-low)
    else:
        least, most = low, high
    if least <= 0:
        raise RequestError(f"{name} underflows at min {low!r}, max {high!r}")
    a, b = math.log(least), math.log(most)
    if name == "inv_log_uniform_values":
        # Uniform in log(1/x): the same law as log_uniform_values.
        return lambda rng: min(max(math.exp(-rng.uniform(-b, -a)), least), most)
    return lambda rng: min(max(math.exp(rng.uniform(a, b)), least), most)


def grid_size(space: SearchSpace) -> int | None:
    """Return the number of runs of a grid search, or None for the other methods."""
    if space.method != "grid":
        return None
    return math.prod(itertools.chain(d.grid_size for d in space.distributions))
