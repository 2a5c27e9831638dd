"""Scaling laws: how every hyperparameter and the objective change along the frontier, with the cost or with sizes."""

from carbs.scaling.fit import recommend, scaling_laws
from carbs.scaling.fit_sizes import checked_scale
from carbs.scaling.laws import ObjectiveLaw, ParamLaw, Prediction, Reach, Recommendation, ScalingLaws
from carbs.scaling.sizes import SizeLaw, SizeLaws, SizeObjectiveLaw, SizeReach

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
    "checked_scale",
    "recommend",
    "scaling_laws",
]
