"""A sweep as one self-contained page."""

from wandb_carbs.report.page import render_report, write_report
from wandb_carbs.report.upload import log_report

__all__ = ["log_report", "render_report", "write_report"]
