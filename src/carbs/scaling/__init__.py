"""Scaling laws: how every hyperparameter and the objective change with the cost along the frontier."""

from carbs.scaling.fit import scaling_laws
from carbs.scaling.laws import ObjectiveLaw, ParamLaw, Prediction, Reach, ScalingLaws

__all__ = ["ObjectiveLaw", "ParamLaw", "Prediction", "Reach", "ScalingLaws", "scaling_laws"]
