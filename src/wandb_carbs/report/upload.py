"""A report as a run in W&B."""

from __future__ import annotations

from pathlib import Path

import wandb

from wandb_carbs.retry import with_retries
from wandb_carbs.runs import SweepPath

_JOB_TYPE = "carbs-report"


def log_report(sweep: SweepPath, page: Path) -> str:
    """Put a report into its sweep's project, as a run that is not in the sweep.

    Args:
        sweep: The sweep.
        page: The HTML file.

    Returns:
        The run's path.

    Raises:
        WandbConnectionError: If W&B cannot be reached.
    """

    def log() -> str:
        name = f"report of {sweep.sweep_id}"
        with wandb.init(entity=sweep.entity, project=sweep.project, job_type=_JOB_TYPE, name=name) as run:
            # What wandb injects would load a style sheet, which the page forbids.
            run.log({"carbs.report": wandb.Html(page.read_text(encoding="utf-8"), inject=False)})
            return f"{run.entity}/{run.project}/{run.id}"

    # Once: the SDK tries again by itself, and a second attempt here would make a second run.
    return with_retries(f"log the report of sweep {sweep}", log, limit=0)
