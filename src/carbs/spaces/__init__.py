"""Search spaces: the values that a hyperparameter may take, and the coordinates in which it is searched.

Every space maps its values to *search coordinates*, in which one unit is a large step: a bounded space is two units
wide, and the first draws around a given search centre have a radius of 0.15. A numeric space first transforms the value
(identity, log10, logit) and then divides by its `scale`; a categorical space has one coordinate for each choice, an
ordinal one a coordinate for all.
"""

from carbs.arrays import Array, Flags, Indices
from carbs.spaces.categorical import CategoricalSpace, ChoiceSpace
from carbs.spaces.kinds import LinearSpace, LogitSpace, LogSpace, Pow2Space
from carbs.spaces.numeric import FIRST_STEP, NumericSpace
from carbs.spaces.ordinal import OrdinalSpace
from carbs.spaces.search_space import Param, SearchSpace, as_space
from carbs.spaces.space import SPACES, Space
from carbs.spaces.values import INFINITY, SUGGESTION_ID_KEY, ParamDict, ParamValue

__all__ = [
    "FIRST_STEP",
    "INFINITY",
    "SPACES",
    "SUGGESTION_ID_KEY",
    "Array",
    "CategoricalSpace",
    "ChoiceSpace",
    "Flags",
    "Indices",
    "LinearSpace",
    "LogSpace",
    "LogitSpace",
    "NumericSpace",
    "OrdinalSpace",
    "Param",
    "ParamDict",
    "ParamValue",
    "Pow2Space",
    "SearchSpace",
    "Space",
    "as_space",
]
