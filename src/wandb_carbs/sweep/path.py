"""Where a sweep is, and whether it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import wandb

from wandb_carbs.errors import WandbCarbsError, WandbConnectionError
from wandb_carbs.retry import INTERACTIVE_SECONDS, with_retries

# How every SDK says it, as a ValueError.
_NOT_FOUND = "Could not find sweep"


@dataclass(frozen=True)
class SweepPath:
    """Where a sweep is.

    Attributes:
        entity: User or team.
        project: Project.
        sweep_id: The sweep's id.
    """

    entity: str
    project: str
    sweep_id: str

    @classmethod
    def parse(cls, text: str) -> SweepPath:
        """Read "entity/project/sweep", or a shorter form completed from W&B's settings.

        Raises:
            WandbCarbsError: If it does not name a sweep, or the project is not known.
        """
        parts = text.strip("/").split("/") if isinstance(text, str) else []
        if not 1 <= len(parts) <= 3 or not all(parts):
            raise WandbCarbsError(f"sweep {text!r} must be named as entity/project/sweep")
        if len(parts) == 3:
            return cls(*parts)
        api = with_retries(f"read sweep {text!r}", wandb.Api, limit=INTERACTIVE_SECONDS)
        project = parts[0] if len(parts) == 2 else api.settings.get("project")
        entity = api.settings.get("entity") or with_retries(
            "read the default entity", lambda: api.default_entity, limit=INTERACTIVE_SECONDS
        )
        if not project or not entity:
            raise WandbCarbsError(f"sweep {text!r} lacks its project; name it as entity/project/sweep")
        return cls(entity, project, parts[-1])

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}/{self.sweep_id}"


def read_sweep(sweep: str | SweepPath, limit: float = INTERACTIVE_SECONDS) -> Any:
    """Read a sweep by W&B's public API.

    Args:
        sweep: "entity/project/sweep", or what else `wandb.Api().sweep` accepts.
        limit: Seconds after which no new attempt is begun.

    Raises:
        WandbConnectionError: If it is not there, or cannot be read.
    """
    path = str(sweep)
    # The SDK does not annotate it.
    read: Callable[[], Any] = lambda: wandb.Api().sweep(path)  # type: ignore[no-untyped-call]  # noqa: E731
    try:
        return with_retries(f"read sweep {path!r}", read, limit=limit)
    except WandbConnectionError as error:
        if str(error.__cause__).startswith(_NOT_FOUND):
            raise WandbConnectionError(there_is_no(path)) from error
        raise


def there_is_no(sweep: str | SweepPath) -> str:
    """Return the words for a sweep that is not there."""
    project = str(sweep).strip("/").rpartition("/")[0]
    return f"there is no sweep {sweep}; `wandb-carbs list{project and f' {project}'}` shows those that there are"
