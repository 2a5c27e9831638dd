"""CARBS: cost-aware Bayesian search around the Pareto frontier of cost against performance (arXiv 2306.08055)."""

from typing import TYPE_CHECKING

from carbs import legacy as _legacy
from carbs.config import (
    CARBSParams,
    OutstandingSuggestionEstimatorEnum,
    SuggestionRedistributionMethodEnum,
    WandbLoggingParams,
)
from carbs.errors import CarbsError, Problem
from carbs.history import ObservationInParam, ObserveOutput, SuggestOutput
from carbs.optimizer import CARBS
from carbs.spaces.categorical import CategoricalSpace
from carbs.spaces.kinds import LinearSpace, LogitSpace, LogSpace, Pow2Space
from carbs.spaces.ordinal import OrdinalSpace
from carbs.spaces.search_space import Param, SearchSpace
from carbs.spaces.space import Space
from carbs.spaces.values import ParamDict, ParamValue
from carbs.unfinished import Prospect

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
    "OrdinalSpace",
    "OutstandingSuggestionEstimatorEnum",
    "Param",
    "ParamDict",
    "ParamValue",
    "Pow2Space",
    "Problem",
    "Prospect",
    "SearchSpace",
    "Space",
    "SuggestOutput",
    "SuggestionRedistributionMethodEnum",
    "WandbLoggingParams",
]

if not TYPE_CHECKING:  # or type checkers would take any name
    __getattr__ = _legacy.renamed
