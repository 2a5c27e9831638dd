"""CARBS: cost-aware Bayesian search around the Pareto frontier of cost against performance (arXiv 2306.08055)."""

from carbs.config import (
    CARBSParams,
    OutstandingSuggestionEstimatorEnum,
    SuggestionRedistributionMethodEnum,
    WandbLoggingParams,
)
from carbs.errors import CarbsError
from carbs.observations import ObservationInParam, ObserveOutput, SuggestOutput
from carbs.optimizer import CARBS
from carbs.params import Param, SearchSpace
from carbs.spaces import (
    CategoricalSpace,
    LinearSpace,
    LogitSpace,
    LogSpace,
    ParamDict,
    ParamValue,
    Pow2Space,
    Space,
)

__all__ = [
    "CARBS",
    "CARBSParams",
    "CarbsError",
    "CategoricalSpace",
    "LinearSpace",
    "LogSpace",
    "LogitSpace",
    "ObservationInParam",
    "ObserveOutput",
    "OutstandingSuggestionEstimatorEnum",
    "Param",
    "ParamDict",
    "ParamValue",
    "Pow2Space",
    "SearchSpace",
    "Space",
    "SuggestOutput",
    "SuggestionRedistributionMethodEnum",
    "WandbLoggingParams",
]
