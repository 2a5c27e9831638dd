"""Where a sweep is."""

from __future__ import annotations

from dataclasses import dataclass

import wandb

from wandb_carbs.errors import WandbCarbsError
from wandb_carbs.retry import INTERACTIVE_SECONDS, with_retries


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
