"""Any kind of space, and the spaces by the name of their kind."""

from __future__ import annotations

from typing import TypeAlias

from carbs.spaces.categorical import CategoricalSpace
from carbs.spaces.kinds import LinearSpace, LogitSpace, LogSpace, Pow2Space
from carbs.spaces.ordinal import OrdinalSpace

Space: TypeAlias = LinearSpace | LogSpace | LogitSpace | Pow2Space | CategoricalSpace | OrdinalSpace
SPACES: dict[str, type[Space]] = {
    space.kind: space for space in (LinearSpace, LogSpace, LogitSpace, Pow2Space, CategoricalSpace, OrdinalSpace)
}
