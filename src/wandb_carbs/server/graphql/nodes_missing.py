"""Products of W&B that this server does not have.

Lists of them are empty, which is true. Where even an empty answer would claim something, the user gets a sentence; a
field that is left out would end in an error of the SDK's own, which says nothing.
"""

from __future__ import annotations

from typing import Any

from wandb_carbs.server.errors import UnsupportedError
from wandb_carbs.server.graphql.fields import Field, Fields, connection, constants


def _refused(words: str) -> Field:
    def refuse(*_: Any, **__: Any) -> None:
        raise UnsupportedError(f"this local server has no {words}")

    return refuse


_TEAMS = _refused("teams and no members: it has one user, whose every project may have an entity of its own")
_LAUNCH = _refused("run queues, and does not launch runs")

FIELDS: Fields = {
    "Query": constants(organization=None),
    "Entity": {
        **constants(integrations=connection([]), triggers=connection([])),
        "members": _TEAMS,
        "defaultResourceConfig": _LAUNCH,
    },
    "Project": {
        **constants(allViews=connection([]), triggers=[], runQueues=[], members=[], teamMembers=[]),
        "runQueue": _LAUNCH,
    },
}
