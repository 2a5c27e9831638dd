"""Parts of the figures: plain dictionaries as plotly takes them.

A colour is named by its role, "@frontier"; the page replaces it by the one of the light or the dark theme. Texts from
users are escaped, because plotly reads markup in them.
"""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from wandb_carbs.plain import number

Figure: TypeAlias = dict[str, Any]

# Letters of a title that fit beside a small figure.
_MAX_TITLE = 28


def text(value: Any) -> str:
    """Write a value of a hyperparameter for a figure."""
    return html.escape(number(value, 4) if isinstance(value, float) else str(value))


def band(x: Any, low: Any, high: Any, name: str, color: str) -> list[Figure]:
    """Return two traces that fill what is between them with the role `color`-band."""
    shared = {"type": "scatter", "mode": "lines", "x": plain(x), "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        {**shared, "y": plain(low), "showlegend": False},
        {
            **shared,
            "y": plain(high),
            "name": name,
            "fill": "tonexty",
            "fillcolor": f"{color}-band",
            "showlegend": False,
        },
    ]


def line(x: Any, y: Any, color: str, **style: Any) -> Figure:
    """Return a line, with more of plotly's options in its `style`; the shape "hv" makes stairs."""
    drawn = {"color": color, "width": 2, **style}
    return {"type": "scatter", "mode": "lines", "x": plain(x), "y": plain(y), "line": drawn}


def marks(x: Any, y: Any, color: str, size: float, **style: Any) -> Figure:
    """Return markers, with more of plotly's options in their `style`."""
    marker = {"color": color, "size": size, **style}
    return {"type": "scatter", "mode": "markers", "x": plain(x), "y": plain(y), "marker": marker}


def axis(title: str, values: Sequence[Any] = (), *, log: bool = False, shown: Sequence[float] | None = None) -> Figure:
    """Return an axis.

    Args:
        title: Its title.
        values: Those that a logarithmic axis is to show.
        log: Whether it is logarithmic.
        shown: The two ends of it, for a logarithmic one their logarithms; None for all values.
    """
    # Without a standoff, the title lies on ticks with superscripts.
    named = {"text": html.escape(title), "standoff": 10}
    axis: Figure = {"title": named, "gridcolor": "@grid", "zeroline": False, "automargin": True}
    if log:
        decades = _decades(values) if shown is None else shown[1] - shown[0]
        axis |= {"type": "log", "exponentformat": "power", **_ticks(decades)}
    if shown is not None:
        axis["range"] = list(shown)
    return axis


def _decades(values: Sequence[Any]) -> float:
    """Return over how many powers of ten the positive ones of some values go."""
    positive = [float(value) for value in values if value is not None and value > 0]
    # Not of the quotient, which overflows before its logarithm is large.
    return math.log10(max(positive)) - math.log10(min(positive)) if positive else 0.0


def _ticks(span: float) -> Figure:
    """Return a tick distance: powers of ten where there are enough of them, else 2s and 5s, but not every digit."""
    if span < 0.8:
        return {"nticks": 6}  # plotly chooses them; more would touch one another
    return {"dtick": math.ceil(span / 8) if span >= 2 else "D2"}


def figure(
    traces: Sequence[Figure],
    x: str,
    y: str,
    *,
    log_x: bool = False,
    log_y: bool = False,
    shown_y: Sequence[float] | None = None,
    height: int = 340,
) -> Figure:
    """Return a figure of traces over titled axes.

    Args:
        traces: What is drawn.
        x: Title of the horizontal axis.
        y: Title of the vertical axis.
        log_x: Whether the horizontal axis is logarithmic.
        log_y: Whether the vertical one is.
        shown_y: The two ends of the vertical axis, as of `axis`; None for all values.
        height: In pixels.
    """
    layout = {
        "height": height,
        "xaxis": axis(x, [value for trace in traces for value in trace["x"]], log=log_x),
        "yaxis": axis(y, [value for trace in traces for value in trace["y"]], log=log_y, shown=shown_y),
        "margin": {"l": 60, "r": 16, "t": 30, "b": 50},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": "@text", "family": "system-ui, sans-serif", "size": 12},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "traceorder": "normal"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "@run", "activecolor": "@text"},
        "hoverlabel": {"align": "left"},
    }
    return {"data": list(traces), "layout": layout}


def themed(value: Any, colors: Mapping[str, str]) -> Any:
    """Return a figure, or a part of one, with the colours of the roles in place of their names."""
    if isinstance(value, str) and re.fullmatch(r"@[a-z-]+", value):
        return colors[value[1:]]
    if isinstance(value, list):
        return [themed(item, colors) for item in value]
    if isinstance(value, dict):
        return {key: themed(item, colors) for key, item in value.items()}
    return value


def raised(trace: Figure, low: float) -> Figure:
    """Return a trace with `low` in place of what a logarithmic axis cannot show: a model may predict less than zero.

    Its labels keep the values that were predicted.
    """
    y = [value if value is None or value > 0 else low for value in trace["y"]]
    moved = {**trace, "y": y}
    return moved if y == trace["y"] else labelled(moved, "y", "text", trace["y"])


def labelled(trace: Figure, letter: str, field: str, values: Sequence[Any]) -> Figure:
    """Return a trace whose labels show other values than those at which it is drawn.

    Args:
        trace: The trace.
        letter: "x" or "y".
        field: Where plotly finds the values: "text" or "customdata", if that is free.
        values: Numbers; None for nothing.
    """
    if trace.get("hoverinfo") == "skip":
        return trace
    template = trace.get("hovertemplate", "(%{x}, %{y})")
    label = re.sub(rf"%\{{{letter}(:[^}}]*)?\}}", f"%{{{field}}}", template)
    return {**trace, field: ["" if value is None else number(value, 5) for value in values], "hovertemplate": label}


def brief(name: str, letters: int = _MAX_TITLE) -> str:
    """Return a name that fits into a figure: of a long one the end, which says more than its beginning."""
    return name if len(name) <= letters else f"…{name[1 - letters :]}"


def dotted(x: float) -> Figure:
    """Return a dotted vertical line across the whole height."""
    line = {"color": "@text", "width": 1, "dash": "dot"}
    return {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0, "y1": 1, "line": line}


def note(text: str, *, at_top: bool) -> Figure:
    """Return an annotation in the upper or lower right corner; `text` is HTML."""
    y = {"y": 1, "yanchor": "top"} if at_top else {"y": 0, "yanchor": "bottom"}
    place = {"xref": "paper", "yref": "paper", "x": 1, "xanchor": "right", **y}
    return {"text": text, "showarrow": False, "font": {"color": "@muted", "size": 11}, **place}


def plain(values: Any) -> list[Any]:
    """Return values, or those of an array, as JSON can hold them; a number that is not finite becomes a gap."""
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [
        None if isinstance(value, float) and not math.isfinite(value) else getattr(value, "item", lambda v=value: v)()
        for value in listed
    ]
