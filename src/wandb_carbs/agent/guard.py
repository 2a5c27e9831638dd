"""Whether a program trains with its suggestion: what its arguments and its changes of `wandb.config` say."""

from __future__ import annotations

import sys
import warnings
import weakref
from collections.abc import Mapping
from typing import Any

from wandb_carbs.agent import arguments, changes
from wandb_carbs.agent.recorder import RunRecorder
from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.plain import to_json
from wandb_carbs.record import CHANGES_KEY


class SuggestionGuard:
    """Warn of searched values that a program gives in place of its suggestion's, or refuse them.

    Args:
        config: The run's configuration.
        values: The suggestion in it.
        recorder: The run's recorder.
        refuses: Whether the run is recorded as abandoned, and an exception raised.
    """

    def __init__(self, config: Any, values: Mapping[str, Any], recorder: RunRecorder, *, refuses: bool) -> None:
        self._config = config
        self._values = values
        self._recorder = recorder
        self._refuses = refuses
        self._changed: dict[str, Any] = {}

    def check_start(self, before: Mapping[str, Any]) -> None:
        """Warn of values other than the suggestion's with which the program may train, or may have trained.

        Args:
            before: The configuration with which the run had logged before its suggestion was there; empty if it had
                not logged.

        Raises:
            WandbCarbsError: If they are refused.
        """
        if late := arguments.drawn_before(before, self._values):
            message = arguments.explain_late(late, self._values)
            self._object("the run had logged before its suggestion was there", message)
            warnings.warn(message, arguments.LateSuggestionWarning, stacklevel=3)
        if drawn := arguments.drawn_arguments(sys.argv[1:], self._values):
            message = arguments.explain(drawn, self._values)
            self._object("arguments differ from the suggestion", message)
            warnings.warn(message, arguments.DrawnArgumentsWarning, stacklevel=3)

    def watch(self) -> None:
        """From now on, warn of searched values that the program tries to change, and mark the run, or refuse them."""
        # Weak: the run outlives this object, and a run that ended without a word must not be kept.
        note = weakref.WeakMethod(self._note)
        changes.watch(self._config, self._values, lambda changed: (found := note()) is not None and found(changed))

    def _note(self, changed: dict[str, Any]) -> None:
        new = {name: value for name, value in changed.items() if name not in self._changed}
        self._changed.update(new)
        message = changes.explain(changed, self._values, self._config)
        self._object("the program changes the suggestion", message)
        if new:
            self._recorder.note({CHANGES_KEY: to_json(self._changed)})
            warnings.warn(message, changes.RefusedChangeWarning, stacklevel=5)

    def _object(self, reason: str, message: str) -> None:
        if self._refuses:
            self._recorder.abandoned(reason)
            raise WandbCarbsError(message)
