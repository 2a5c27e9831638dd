"""Tables of earlier runs, and a search that starts from them."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from carbs import CARBSParams, CategoricalSpace, LinearSpace, LogSpace, ObservationInParam, Param, SearchSpace
from wandb_carbs.sweep.old_runs import read_old_runs

SPACE = SearchSpace(
    (
        Param("lr", LogSpace(1e-5, 1e-1)),
        Param("opt.name", CategoricalSpace(("adam", None, [1, 2], True, 3))),
        Param("width", LinearSpace(1, 64, is_integer=True), 8),
    )
)
CONFIG = CARBSParams(better_direction_sign=-1)


def found(source: Any, **options: Any) -> tuple[list[ObservationInParam], list[str]]:
    """Read one source; return its observations and notes."""
    read = read_old_runs([source], SPACE, CONFIG, **options)
    return list(read.observations), list(read.notes)


def table(tmp_path: Path, rows: list[dict[str, Any]], ending: str) -> str:
    """Write a table of runs; return its path."""
    path = tmp_path / f"runs{ending}"
    if ending == ".json":
        path.write_text(json.dumps(rows))
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
            writer.writeheader()
            writer.writerows(rows)
    return str(path)
