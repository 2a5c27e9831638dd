"""A sweep as one self-contained page."""

from wandb_carbs.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
