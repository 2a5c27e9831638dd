"""`carbs.carbs` of the old package: everything is imported from `carbs` itself."""

from __future__ import annotations

from typing import Any

import carbs
from carbs.legacy import warn_of

warn_of("carbs.carbs", "carbs: from carbs import …")


def __getattr__(name: str) -> Any:
    return getattr(carbs, name)
