"""The tuned constants of the optimizer, as values: an experiment replaces them, nothing else does.

"Ablation" as a source means `benchmarks/ablation.py`, whose table is in docs/benchmarks.md. A nat is a unit of the
natural logarithm, here of a cost: a factor of e.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class GainTuning:
    """How the gain of a suggestion is measured, and how it is maximised."""

    # Joint draws of the outcomes of running configurations: enough that no single lucky draw decides. They share one
    # Cholesky factor, so that they take little time.
    num_imagined: int = 8
    # With dozens of running configurations a draw holds many outcomes already: as many draws as give this number of
    # outcomes, but at least three. For the time that an agent takes which draws for all that start with it.
    max_outcomes: int = 128
    min_imagined: int = 3
    # The frontier counts up to the most expensive predicted configuration, one to four nats beyond the runs so far:
    # below one, no more expensive run would bring a gain; above four, the models only guess. Ablation.
    horizon: tuple[float, float] = (1.0, 4.0)
    # Share of suggestions whose gain counts only above a random cost. A cheap run's gain counts at all higher costs,
    # so without them the search hardly looks at expensive runs. The paper draws a random cost, too. Ablation.
    band_share: float = 0.25
    # Power of the probability of success: a run that succeeds in five of six cases is worth half of a safe one. A
    # failure brings nothing, and often takes long.
    failure_aversion: int = 4
    # Objectives below this quantile of the predictions over the space count for nothing. A quantile of the observed
    # ones would rise as the search improves, and hide cheap runs from it.
    reference_quantile: float = 0.1

    # Candidates over the whole space. Ablation.
    num_global: int = 500
    # Candidates around the frontier for each of the steps, which are shares of a length scale. Ablation.
    num_local: int = 130
    local_steps: tuple[float, ...] = (0.05, 0.15, 0.5)
    # Refinement: rounds of ever smaller steps around the best so far. Ablation.
    num_refined: int = 200
    refine_steps: tuple[float, ...] = tuple(0.3 * 0.6**i for i in range(6))
    num_elites: int = 10
    # Bounds of a step's standard deviation, in search units. A length scale above two says "irrelevant": one step
    # across a bounded space is enough. A local step is at least a two-hundredth of it.
    longest_step: float = 2.0
    shortest_step: float = 0.01
    # Share of the candidates around a point that are clipped at the bounds; the others are mirrored back. Good values
    # do lie on bounds, but not so many that all should.
    clip_share: float = 0.1
    # Hyperparameters that a candidate changes at a time, on average at most, and for some half as many: in many
    # dimensions a step in all of them leaves the good region.
    num_moved: int = 10
    # Share of candidates that change as many as that; the others change half as many.
    wide_share: float = 0.5
    # For `for_cost`: standard deviation, in nats, of the penalty that keeps the target at the cost.
    closeness: float = 0.1


@dataclass(frozen=True)
class LimitTuning:
    """How expensive a suggestion may be, given the runs so far. All limits are natural logarithms of factors."""

    # A predicted cost may be twice the highest so far, or this share of everything spent: the search goes to expensive
    # regions step by step, and no guess should cost as much as everything before. Ablation.
    growth: float = math.log(2.0)
    spent_share: float = 0.3
    # Running configurations lift the limit by two such steps at most, however many they are. With one step, many
    # workers would hardly reach higher costs faster than one does.
    outstanding_steps: int = 2
    # Predictions err: the cost this many standard deviations above (one run in 160 exceeds it) may be at most another
    # factor of two higher.
    num_deviations: float = 2.5
    surprise: float = math.log(2.0)
    # Few runs give a poor estimate of the deviation, so it follows Student's t with as many degrees of freedom as there
    # are runs, less one. At least five: with fewer runs `steepest` guards, too.
    min_freedom: int = 5
    # First draws around a given centre: one standard deviation above the prediction, at most three times the highest
    # cost so far.
    initial_growth: float = math.log(3.0)
    # The same if the cost rises from the nearest run as steeply as it may: at most ten times.
    worst_growth: float = math.log(10.0)
    # The steepest rise, in nats for a search unit: three hyperparameters, each of which makes a run ten times as
    # expensive, together a factor of 55.
    steepest: float = math.sqrt(3) * math.log(10.0)
    # Until this many runs have succeeded `steepest` guards suggestions, too.
    num_early: int = 6


@dataclass(frozen=True)
class ModelTuning:
    """The models' assumptions before any run. Pairs are mean and standard deviation of a natural logarithm."""

    # Length scales grow with the square root of the number of hyperparameters (Hvarfner et al. 2024). With this offset
    # 90 % intervals held as often as they should; with longer ones after 20 runs of 8 hyperparameters 80 %.
    length_scale_offset: float = -0.4
    # Standard deviation of a log length scale: two deviations are a factor of four.
    length_scale_deviation: float = 0.7
    # Variance of the smooth part: that of the standardised objective, or a nat squared, give or take a factor of e.
    signal: tuple[float, float] = (0.0, 1.0)
    # Variance of the objective's slopes for a search unit: about half the spread of the objectives, give or take a
    # factor of e. "More of this is better" is common.
    objective_slope: tuple[float, float] = (math.log(0.3), 2.0)
    # Variance of the cost's slopes: two deviations reach from nothing up to a factor of a thousand for a search unit,
    # since cost is close to a power law of a few hyperparameters.
    cost_slope: tuple[float, float] = (0.0, 2.0)
    # Noise variance of the objective: 3 % of the spread of the objectives, give or take a factor of e, as between
    # seeds. Ablation.
    objective_noise: tuple[float, float] = (math.log(1e-3), 2.0)
    # Noise variance of the log cost: run times vary by 5 %, give or take a factor of e.
    cost_noise: tuple[float, float] = (2 * math.log(0.05), 2.0)
    # Bounds of the log noise variance in a fit: a deviation of a thousandth of the objectives' (or of a nat) and up.
    noise_bounds: tuple[float, float] = (math.log(1e-6), math.log(2.0))
    # Variance of the mean log cost: in the middle of the space it may be 10^4 times that of the runs so far, so that a
    # search that starts in a cheap corner does not predict the whole space to be cheap.
    cost_mean_variance: float = math.log(1e4) ** 2
    # Warps: across a bounded hyperparameter, the rate of change grows e-fold more or less than expected. Ablation.
    warp_deviation: float = 0.5
    # Expected fall of the objective's rate of change, in nats for a search unit, where the cost grows as fast: learning
    # curves and scaling laws saturate. Ablation.
    saturation: float = 1.0
    # Slopes of the objective's log amplitude: across a bounded hyperparameter, two search units wide, the objective's
    # spread grows or falls by half; less along what drives the cost. With zero it does neither. Ablation.
    amplitude_deviation: float = 0.2
    # Objectives worse than this many times the distance from the median to the best (or to the lower quartile) are
    # pulled up to there. A normal sample of a thousand stays as it is. Ablation.
    outlier_reach: float = 5.0
    # Largest number of configurations that hyperparameters are fitted to. Their uncertainty is small by then, and the
    # time of a fit grows with the cube.
    max_fit_points: int = 200
    # Settings of the hyperparameters that are drawn from their posterior, beside the most probable one: at least and at
    # most. They widen what people see and what the limits of cost count with. With a few runs, whose limits guard
    # against high costs, three of them leave much to chance; later five were no better.
    alternatives: tuple[int, int] = (3, 16)
    # Configurations times hyperparameters times settings, up to the most settings. With more configurations times
    # hyperparameters than this (100 of eight) the most probable setting stands for all: the posterior is narrow by
    # then, and a suggestion would take more than twice as long.
    max_alternative_values: int = 800
    # Largest number of configurations that the models are conditioned on.
    max_model_points: int = 1500
    # Variances of the latent function of success: limits (of memory, of stability) are sharp, so it may rise by four
    # probits over a search unit, from a coin's toss to near certainty in half a unit, and bend by as much.
    success_signal: float = 16.0
    success_slope: float = 16.0

    def num_alternatives(self, values: int) -> int:
        """Return how many settings are drawn, with so many configurations times hyperparameters."""
        least, most = self.alternatives
        affordable = self.max_alternative_values // values
        return max(least, min(most, affordable)) if affordable else 0


@dataclass(frozen=True)
class PatienceTuning:
    """How long the models' suggestions may bring nothing."""

    # So many runs without a gain are borne for every gain that there has been, and at least one. Chosen on three tables
    # of TaskSet, where the models were behind random draws, and checked on three others and on LCBench.
    per_gain: int = 2
    # Share of draws from then on. Ablation.
    draw_share: float = 0.5
    # A run that adds no more than this share of the hypervolume is no gain.
    least_gain: float = 0.02
    # Draws succeed with this probability at least.
    least_success: float = 0.3


@dataclass(frozen=True)
class Tuning:
    """All tuned constants."""

    gain: GainTuning = GainTuning()
    patience: PatienceTuning = PatienceTuning()
    limit: LimitTuning = LimitTuning()
    model: ModelTuning = ModelTuning()


DEFAULT = Tuning()
