"""Scaling laws: how every hyperparameter and the objective change along the frontier, with the cost or with sizes."""

from carbs.scaling.fit import recommend, scaling_laws
from carbs.scaling.fit_sizes import checked_scale
from carbs.scaling.laws import ObjectiveLaw, ParamLaw, Prediction, Reach, Recommendation, ScalingLaws
from carbs.scaling.sizes import SizeLaw, SizeLaws, SizeObjectiveLaw, SizeReach
from carbs.scaling.transfer import Transfer, measure_transfer

__all__ = [
    "ObjectiveLaw",
    "ParamLaw",
    "Prediction",
    "Reach",
    "Recommendation",
    "ScalingLaws",
    "SizeLaw",
    "SizeLaws",
    "SizeObjectiveLaw",
    "SizeReach",
    "Transfer",
    "checked_scale",
    "measure_transfer",
    "recommend",
    "scaling_laws",
]
