"""A sweep as one self-contained page."""

from wandb_carbs.report.page import Report, make_report, write_report
from wandb_carbs.report.upload import log_report

__all__ = ["Report", "log_report", "make_report", "write_report"]
