"""Many observations as a short text: a sweep's description has to hold them."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from carbs import CarbsError, ObservationInParam

# A thousand observations of ten parameters unpack to 200 kB; far more is not from here.
_MOST_BYTES = 50_000_000


def pack(observations: Sequence[ObservationInParam]) -> str:
    """Write observations of one search space, at about 40 characters each, and each point on their ways."""
    names = list(observations[0].input)
    table: dict[str, Any] = {"names": names, "rows": [_row(seen, names) for seen in observations]}
    if any(seen.points for seen in observations):
        table["points"] = [[_row(point, names) for point in seen.points] for seen in observations]
    text = json.dumps(table, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpack(text: Any) -> tuple[ObservationInParam, ...]:
    """Read what `pack` wrote; all are marked as old.

    Raises:
        CarbsError: If it is anything else.
    """
    try:
        table = json.loads(zlib.decompressobj().decompress(base64.b64decode(text, validate=True), _MOST_BYTES))
        names, rows = table["names"], table["rows"]
        ways = table.get("points", [()] * len(rows))
        return tuple(
            replace(_seen(row, names), points=tuple(_seen(point, names) for point in way))
            for row, way in zip(rows, ways, strict=True)
        )
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error, RecursionError) as error:
        raise CarbsError(f"the sweep's old runs are damaged: {error!r}") from error


def _row(seen: ObservationInParam, names: Sequence[str]) -> list[Any]:
    return [*(seen.input[name] for name in names), None if seen.is_failure else seen.output, seen.cost]


def _seen(row: Sequence[Any], names: Sequence[str]) -> ObservationInParam:
    *values, output, cost = row
    return ObservationInParam(
        dict(zip(names, values, strict=True)),
        float("nan") if output is None else output,
        cost,
        is_failure=output is None,
        is_old=True,
    )
