"""A report as a run in W&B."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING, Any

import wandb
from markupsafe import escape

from wandb_carbs.figures import drawing
from wandb_carbs.figures.palette import LIGHT
from wandb_carbs.report.page import Report
from wandb_carbs.report.section import Captioned
from wandb_carbs.retry import with_retries

if TYPE_CHECKING:
    import plotly.graph_objects

_JOB_TYPE = "carbs-report"
_PAGE_KEY = "carbs.report"
_TITLE_HEIGHT = 44  # pixels, of two lines


def log_report(report: Report) -> str:
    """Put a report into its sweep's project, as a run that is not in the sweep.

    The run holds every figure as a panel of its own, by the names of `Report.figures`, and the whole page.

    Args:
        report: The report.

    Returns:
        The address of the run's page.

    Raises:
        WandbConnectionError: If W&B cannot be reached.
    """
    sweep = report.history.path
    # What wandb injects would load a style sheet, which the page forbids.
    panels: dict[str, Any] = {_PAGE_KEY: wandb.Html(report.page, inject=False)}
    panels |= {name: wandb.Plotly(_for_panel(figure)) for name, figure in report.figures.items()}

    def log() -> str:
        with (
            # The SDK's service may write its last log line while the folder is being removed.
            tempfile.TemporaryDirectory(prefix="wandb-carbs-report-", ignore_cleanup_errors=True) as folder,
            wandb.init(
                entity=sweep.entity,
                project=sweep.project,
                job_type=_JOB_TYPE,
                name=f"report of {sweep.sweep_id}",
                mode="online",
                dir=folder,
                settings=wandb.Settings(console="off"),
            ) as run,
        ):
            run.log(panels)
            return str(run.url)

    # Once: the SDK tries again by itself, and a second attempt here would make a second run.
    return with_retries(f"log the report of sweep {sweep}", log, limit=0)


def _for_panel(captioned: Captioned) -> plotly.graph_objects.Figure:
    """Return a figure that stands alone: with its caption as the title, in the colours of the light theme."""
    import plotly.graph_objects as go  # noqa: PLC0415 - an extra

    figure = drawing.themed(captioned.figure, LIGHT)
    layout = {**figure["layout"], "paper_bgcolor": "#ffffff", "plot_bgcolor": "#ffffff"}
    caption = str(escape(captioned.caption))
    if caption:
        place = {"x": 0, "xref": "paper", "y": 0.94, "yref": "container", "yanchor": "top"}
        layout["title"] = {"text": caption, "font": {"size": 12}, **place}
        layout["margin"] = {**layout["margin"], "t": layout["margin"]["t"] + _TITLE_HEIGHT}
    layout["modebar"] = {**layout["modebar"], "orientation": "v"}  # beside the title, not over it
    del layout["height"]  # the panel's
    return go.Figure({"data": figure["data"], "layout": layout})
