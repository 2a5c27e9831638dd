"""The one user of this server, and the server itself."""

from __future__ import annotations

from wandb_carbs.server.graphql.fields import Node
from wandb_carbs.server.store.database import DEFAULT_ENTITY
from wandb_carbs.server.store.ids import global_id

USER: Node = {
    "id": global_id("User", 1),
    "name": DEFAULT_ENTITY,
    "username": DEFAULT_ENTITY,
    "email": "",
    "entity": DEFAULT_ENTITY,
    "flags": "{}",
    "admin": True,
    "teams": {"edges": []},
    "apiKeys": {"edges": []},
}
# SDKs up to 0.29 compare their own version with these before they send media or an artifact; null makes them raise.
_VERSIONS: Node = {"max_cli_version": "999.0.0", "min_cli_version": "0.0.1"}
_LATEST: Node = {
    "latestVersionString": "999.0.0",
    "versionOnThisInstanceString": "999.0.0",
    "outOfDate": False,
    "isRunningLatest": True,
}
# Features that a new SDK asks for before it relies on them, by W&B's names.
_FEATURES = (
    "SWEEPS_LOCAL_SCHEDULER",
    "ARTIFACT_TAGS",
    "CLIENT_IDS",
    "LARGE_FILENAMES",
    "TOTAL_COUNT_IN_FILE_CONNECTION",
    "PROJECT_ARTIFACT_COLLECTION_MEMBERSHIP",
    "ARTIFACT_COLLECTION_MEMBERSHIP_FILES",
    "USE_ARTIFACT_WITH_ENTITY_AND_PROJECT_INFORMATION",
)
SERVER: Node = {
    "features": [{"name": name, "isEnabled": True} for name in _FEATURES],
    "cliVersionInfo": _VERSIONS,
    "latestLocalVersionInfo": _LATEST,
}
