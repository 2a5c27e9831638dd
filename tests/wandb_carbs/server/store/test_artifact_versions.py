"""Finding versions of artifacts."""

from __future__ import annotations

import pytest

from stored import make_run
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import artifact_versions, artifacts
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id


@pytest.fixture
def versions(store: Store) -> list[int]:
    """Make two versions, the first with the alias `best`, and one that is not committed."""
    make_run(store, "r")
    made: list[int] = []
    for aliases in (["best"], ["latest"], []):
        values = {"projectName": "p", "runName": "r", "artifactCollectionName": "model", "clientID": f"c{len(made)}"}
        made.append(artifacts.create(store, {**values, "aliases": [{"alias": alias} for alias in aliases]}))
    for artifact_id in made[:2]:
        artifacts.commit(store, global_id("Artifact", artifact_id), [])
    return made


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("model", 1),
        ("model:latest", 1),
        ("model:v0", 0),
        ("model:v1", 1),
        ("model:best", 0),
        ("model:v2", None),
        ("model:v01", None),
        ("model:v" + "9" * 30, None),
        ("model:nosuch", None),
        ("other", None),
    ],
)
def test_version_is_found_by_number_and_alias(store: Store, versions: list[int], name: str, place: int | None) -> None:
    with store.reading() as db:
        found = artifact_versions.find(db, 1, name)
    assert (found and found["id"]) == (None if place is None else versions[place])


def test_only_committed_versions_are_listed_the_latest_first(store: Store, versions: list[int]) -> None:
    with store.reading() as db:
        assert [row["id"] for row in artifact_versions.versions(db, 1, "model")] == versions[1::-1]
        assert [row["id"] for row in artifact_versions.versions(db, 1, "model", "version < ?", 1)] == versions[:1]
        newest = artifact_versions.newest(db, 1, "model")
        assert newest is not None
        assert newest["id"] == versions[1]
        assert artifact_versions.newest(db, 1, "other") is None
        assert [row["id"] for row in artifact_versions.of_run(db, 1)] == versions[:2]


def test_version_is_found_by_its_ids(store: Store, versions: list[int]) -> None:
    with store.reading() as db:
        found = artifact_versions.by_client_id(db, "c2")
        assert found is not None
        assert found["id"] == versions[2]
        assert artifact_versions.by_client_id(db, "nosuch") is None
        manifest = global_id("ArtifactManifest", versions[0])
        assert artifact_versions.by_id(db, manifest, "ArtifactManifest")["id"] == versions[0]
        with pytest.raises(RequestError, match="unknown artifact"):
            artifact_versions.by_id(db, global_id("Artifact", 99))
