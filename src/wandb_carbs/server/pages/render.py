"""Templates and static files of the pages."""

from __future__ import annotations

import functools
import importlib.util
import json
import math
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.prefix import PREFIX
from wandb_carbs.server.store.database import timestamp

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PLOTLY = "plotly.min.js"
# The colours that the report has, too.
PALETTE = "palette.css"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("wandb_carbs.server.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"value": value_text, "moment": moment, "duration": duration, "size": size}
    environment.globals |= {"address": address, "root": PREFIX.get}
    return environment


def render(template: str, **values: Any) -> str:
    """Return a page as HTML; whatever the values hold is escaped."""
    return _environment().get_template(template).render(**values)


def static_file(name: str) -> tuple[Path, str]:
    """Return where a static file is, and its media type.

    Raises:
        RequestError: There is no such file (404).
    """
    kind = _TYPES.get(Path(name).suffix)
    if name == PLOTLY:
        spec = importlib.util.find_spec("plotly")
        assert spec is not None
        assert spec.origin is not None
        return Path(spec.origin).parent / "package_data" / PLOTLY, _TYPES[".js"]
    path = Path(str(resources.files(__package__).joinpath("static"))) / Path(name).name
    if kind is None or Path(name).name != name or not path.is_file():
        raise RequestError(f"there is no static file {name!r}", 404)
    return path, kind


def address(*parts: str) -> str:
    """Return the path of a page, from its parts."""
    return f"{PREFIX.get()}/" + "/".join(quote(part, safe="", errors="replace") for part in parts)


def moment(microseconds: int) -> str:
    """Write a time in UTC."""
    return timestamp(microseconds)[:19].replace("T", " ")


def duration(seconds: float | None) -> str:
    """Write a duration with two units at most."""
    if seconds is None:
        return ""
    whole = int(seconds)
    for unit, length, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= length:
            return f"{whole // length} {unit} {whole % length // part} {smaller}"
    return f"{seconds:.3g} s"


def size(number: float) -> str:
    """Write a number of bytes."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number) < 999.5:  # three digits make 1e+03 of more
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} TB"


def value_text(value: Any) -> str:
    """Write a value of a configuration or a summary."""
    if isinstance(value, float):
        return f"{value:.6g}" if math.isfinite(value) else str(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
