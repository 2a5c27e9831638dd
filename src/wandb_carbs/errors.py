"""Errors of the integration; all are `carbs.CarbsError`s."""

from __future__ import annotations

from carbs import CarbsError


class WandbCarbsError(CarbsError):
    """The integration is used where or how it cannot work: outside a run, outside a sweep, on a second rank."""


class WandbConnectionError(WandbCarbsError, RuntimeError):
    """W&B did not answer, or refused; the message says what was asked and for how long."""


class RunDeletedError(WandbConnectionError):
    """W&B does not know a run any more."""
