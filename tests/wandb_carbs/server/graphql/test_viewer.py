"""The one user of this server, and the server itself."""

from __future__ import annotations

from stored import ask
from wandb_carbs.server.store.database import Store


def test_versions_of_the_server_are_objects(store: Store) -> None:
    """SDKs up to 0.29 read keys of both before they send media, and raise on null."""
    found = ask(store, "{ serverInfo { cliVersionInfo latestLocalVersionInfo } }").body["data"]["serverInfo"]
    assert found["cliVersionInfo"]["max_cli_version"] == "999.0.0"
    assert found["latestLocalVersionInfo"]["outOfDate"] is False
