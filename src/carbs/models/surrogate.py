"""The models of objective, cost and success, fitted to a history."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.special import ndtri, stdtrit

from carbs.arrays import Array
from carbs.models import laplace
from carbs.models.beliefs import Beliefs, Means
from carbs.models.fit import fit
from carbs.models.gaussian_process import Posterior
from carbs.models.groups import Groups
from carbs.models.kernel import Hyperparameters
from carbs.models.noise import Noise
from carbs.models.outputs import Scaler, winsorise
from carbs.models.priors import Prior, cost_prior, objective_prior, success_hyperparameters
from carbs.models.success import Classifier
from carbs.spaces.search_space import SearchSpace
from carbs.tuning import DEFAULT, ModelTuning

# The errors of numpy and scipy where numbers are too extreme for them, and those of a model that notices it.
MODEL_ERRORS = (ArithmeticError, ValueError, np.linalg.LinAlgError)

NOT_FINITE = "the model's predictions are not finite"
# Upper end of the 90 % interval that Student's t makes wider, and the least degrees of freedom: with one or two runs
# there are hardly any.
_UPPER = 0.95
_MIN_FREEDOM = 1.5
# Of a standardised output.
_LEAST_VARIANCE = 1e-12
# Runs for a degree of freedom. The fit spends some on its length scales, and a suggestion is chosen because its
# prediction is high: it is too high more often than not (Smith and Winkler 2006, "The Optimizer's Curse").
_RUNS_A_FREEDOM = 3


@dataclass(frozen=True)
class Surrogate:
    """Models of objective, log cost and success, conditioned on the history.

    Attributes:
        groups: The observations behind it.
        objective_scaler: The map that standardises the objective.
        mean_log_cost: Mean of the log costs, the zero of the cost's model.
        objective: Posterior of the standardised objective, with the most probable hyperparameters.
        alternatives: The same with hyperparameters drawn from their posterior, without running configurations; none
            where there are so many runs that it is narrow.
        cost: Posterior of the log cost.
        known_cost: The same without running configurations.
        cost_alternatives: The same with hyperparameters drawn from their posterior, as those of the objective.
        success: Model of the probability of success, or None if nothing failed.
        y: Outputs of the objective's model, shape (k,).
        c: Outputs of the cost's model, shape (k,).
        noise: Of these outputs.
        origin: Zero of the models' inputs, the middle of the space, where their linear parts meet; shape (D,).
    """

    groups: Groups
    objective_scaler: Scaler
    mean_log_cost: float
    objective: Posterior
    alternatives: tuple[Posterior, ...]
    cost: Posterior
    known_cost: Posterior
    cost_alternatives: tuple[Posterior, ...]
    success: Classifier | None
    y: Array
    c: Array
    noise: Noise
    origin: Array

    @cached_property
    def known(self) -> Means:
        """Predicted means at the observations.

        Raises:
            ArithmeticError: If they are not finite.
        """
        return self.expect(self.groups.X)

    @property
    def objective_noise(self) -> float:
        """Standard deviation of a single run's objective, in its own unit."""
        return math.sqrt(self.objective.hyper.noise) * self.objective_scaler.deviation

    @property
    def log_cost_noise(self) -> float:
        """Standard deviation of a single run's natural log cost."""
        return math.sqrt(self.cost.hyper.noise)

    def evidence_of_effects(self) -> float:
        """Return by how much the objective's model predicts each run from all others better than their mean does.

        It is a difference of log predictive densities, in nats, with the most probable hyperparameters: about zero, or
        below, where no hyperparameter has an effect that stands out from the noise. At least three outputs are needed.
        """
        number, centred = len(self.y), self.y - np.mean(self.y)
        errors, deviation = self.objective.leave_one_out()
        # Mean and variance of the others, by what each output contributes to those of all.
        errors_of_mean = centred * number / (number - 1)
        variance = (np.sum(centred**2) - centred * errors_of_mean) / (number - 2) * number / (number - 1)
        deviation_of_mean = np.sqrt(np.maximum(variance, _LEAST_VARIANCE))
        gain = _log_density(errors[:, 0], deviation) - _log_density(errors_of_mean, deviation_of_mean)
        return float(np.sum(gain))

    @classmethod
    def fit(cls, space: SearchSpace, groups: Groups, failures: Array, tuning: ModelTuning = DEFAULT.model) -> Surrogate:
        """Fit the models.

        Args:
            space: The search space.
            groups: Grouped successes.
            failures: Search coordinates of failed runs, shape (f, D).
            tuning: The tuned constants.

        Returns:
            The surrogate.
        """
        owner = np.repeat(np.arange(len(space.params)), [s.width for s in space.spaces])
        clipped = winsorise(groups.y, tuning.outlier_reach)
        objective_scaler, mean_log_cost = Scaler.of(clipped), float(np.mean(groups.log_cost))
        y, c = objective_scaler.forward(clipped), groups.log_cost - mean_log_cost
        chosen = groups.chosen(tuning.max_fit_points)
        keep = groups.chosen(tuning.max_model_points)
        X, noise, noise_of_chosen = groups.X - space.middle, groups.noise.of(keep), groups.noise.of(chosen)

        # The fit counts the repeats of the chosen alone: their share of the squares of all repeats goes with them.
        share = float(np.sum(groups.count[chosen] - 1)) / max(groups.num_repeats, 1.0)

        def condition(hyper: Hyperparameters, outputs: Array) -> Posterior:
            return Posterior.condition(hyper, X[keep], outputs[keep, None], noise)

        num_others = tuning.num_alternatives(groups.num_ends * len(space.params))

        def learn(outputs: Array, within: float, prior: Prior) -> tuple[Posterior, tuple[Posterior, ...]]:
            fitted_to = (X[chosen], outputs[chosen], noise_of_chosen, share * within, owner)
            hyper = fit(*fitted_to, prior)
            if not num_others:
                return condition(hyper, outputs), ()
            # The same history gives the same models: the draws depend on nothing else.
            rng = np.random.default_rng(groups.size)
            normal = rng.standard_normal((num_others, 4 * len(space.params) + 2))
            others = laplace.draw(hyper, *fitted_to, prior, normal)
            return condition(hyper, outputs), tuple(condition(other, outputs) for other in others)

        within_y = objective_scaler.standardise_squares(groups.within_y)
        cost, cost_alternatives = learn(c, groups.within_log_cost, cost_prior(space, tuning))
        cost_slopes = np.bincount(owner, weights=cost.expected_slopes()[:, 0]).astype(float)
        objective, alternatives = learn(y, within_y, objective_prior(space, cost_slopes, tuning))
        success = None
        if len(failures):
            both = np.vstack([X[chosen], failures[-tuning.max_fit_points :] - space.middle])
            labels = np.where(np.arange(len(both)) < len(chosen), 1.0, -1.0)
            success = Classifier.fit(success_hyperparameters(space, tuning), both, labels)
        return cls(
            groups,
            objective_scaler,
            mean_log_cost,
            objective,
            alternatives,
            cost,
            cost,
            cost_alternatives,
            success,
            y[keep],
            c[keep],
            noise,
            space.middle,
        )

    def with_pending(self, pending: Array, noise: Array) -> Surrogate:
        """Condition on imagined outcomes of running configurations.

        Args:
            pending: Search coordinates, shape (p, D).
            noise: Standard normal numbers, shape (2, p, S), that make S draws from the joint posterior.

        Returns:
            A surrogate whose predictions have S columns.
        """
        if not len(pending):
            return self
        num_sets = noise.shape[2]
        local = pending - self.origin
        noise_of_all = self.noise.and_new(len(pending))

        def imagine(posterior: Posterior, outputs: Array, draws: Array) -> Posterior:
            drawn = posterior.sample(local, draws)
            X = np.vstack([posterior.X, local])
            outputs = np.vstack([np.repeat(outputs[:, None], num_sets, 1), drawn])
            return Posterior.condition(posterior.hyper, X, outputs, noise_of_all)

        return replace(
            self,
            objective=imagine(self.objective, self.y, noise[0]),
            cost=imagine(self.cost, self.c, noise[1]),
        )

    def predict(self, points: Array) -> Beliefs:
        """Predict at `points`, shape (m, D)."""
        local = points - self.origin
        objective, objective_std = self.objective.predict(local)
        log_cost, log_cost_std = self.cost.predict(local)
        known = log_cost if self.cost is self.known_cost else self.known_cost.mean(local)
        log_cost, known = log_cost + self.mean_log_cost, known + self.mean_log_cost
        if not (np.all(np.isfinite(objective)) and np.all(np.isfinite(log_cost))):
            raise ArithmeticError(NOT_FINITE)
        return Beliefs(objective, objective_std, log_cost, log_cost_std, self.log_success(points), known[:, 0])

    def log_success(self, points: Array) -> Array:
        """Return the logarithm of the probability that runs of `points`, shape (m, D), succeed; shape (m,)."""
        return self.success.log_probability(points - self.origin) if self.success else np.zeros(len(points))

    def expect(self, points: Array) -> Means:
        """Predict the means alone at `points`, shape (m, D): they are those of `predict`."""
        local = points - self.origin
        objective, log_cost = self.objective.mean(local), self.cost.mean(local)
        known = log_cost if self.cost is self.known_cost else self.known_cost.mean(local)
        log_cost, known = log_cost + self.mean_log_cost, known + self.mean_log_cost
        if not (np.all(np.isfinite(objective)) and np.all(np.isfinite(log_cost))):
            raise ArithmeticError(NOT_FINITE)
        return Means(objective, log_cost, known[:, 0])

    def predict_objective(self, points: Array, beliefs: Beliefs) -> tuple[Array, Array]:
        """Predict the objective with all that is unknown of it, for people to see.

        The gain goes by the most probable model alone, which is faster and no worse. So that is the mean; the deviation
        from it is that of the mixture of all models, with an allowance for few runs.

        Args:
            points: Shape (m, D).
            beliefs: What `predict` says of them, without running configurations.

        Returns:
            Expected objective (standardised, higher is better) and standard deviation, shape (m,) each.
        """
        local = points - self.origin
        others = (model.predict(local) for model in self.alternatives)
        mean, deviation = _mixture([(beliefs.objective, beliefs.objective_std), *others])
        return mean, deviation * _allowance(self.groups.num_ends)

    def predict_cost(self, points: Array) -> tuple[Array, Array]:
        """Predict the log cost with all that is unknown of it, for people to see and for the limits of cost.

        Mean and deviation are those of `predict_objective`, without the allowance; running configurations do not count.

        Args:
            points: Shape (m, D).

        Returns:
            Expected natural logarithm and standard deviation, shape (m,) each.
        """
        local = points - self.origin
        log_cost, deviation = _mixture([model.predict(local) for model in (self.known_cost, *self.cost_alternatives)])
        return log_cost + self.mean_log_cost, deviation


def _log_density(errors: Array, deviation: Array) -> Array:
    """Return the logarithms of normal densities at distances from their means, less a constant; shapes (n,)."""
    density: Array = -0.5 * (errors / deviation) ** 2 - np.log(deviation)
    return density


def _allowance(number: int) -> float:
    """Return by how much the deviations of a few runs, `number`, are too small: Student's t against the normal one.

    The spread of the objectives, which the models take as known, is estimated from as many runs.
    """
    return float(stdtrit(max((number - 1) / _RUNS_A_FREEDOM, _MIN_FREEDOM), _UPPER) / ndtri(_UPPER))


def _mixture(predictions: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return the first mean, and the root mean square distance from it in the equal mixture of normal predictions.

    Args:
        predictions: Mean, shape (m, 1), and standard deviation, shape (m,), by each model.

    Returns:
        Mean and deviation, shape (m,) each.
    """
    means, deviations = (np.array(part) for part in zip(*predictions, strict=True))
    return means[0, :, 0], np.sqrt(np.mean(deviations**2 + (means[:, :, 0] - means[0, :, 0]) ** 2, axis=0))
