"""Collections of artifacts."""

from __future__ import annotations

from typing import Any

import pytest

from stored import make_run
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import artifact_versions, artifacts, collections
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id


@pytest.fixture
def collection(store: Store) -> Any:
    """Make a collection with one version."""
    make_run(store, "r")
    values = {"projectName": "p", "runName": "r", "artifactCollectionName": "model", "artifactTypeName": "model"}
    artifact_id = artifacts.create(store, values)
    artifacts.commit(store, global_id("Artifact", artifact_id), [])
    with store.reading() as db:
        return collections.find(db, 1, "model")


def identifier(row: Any) -> str:
    return global_id("ArtifactCollection", row["id"])


def test_collection_is_made_once_and_has_one_type(store: Store, collection: Any) -> None:
    with store.transaction() as db:
        assert collections.ensure(db, 1, "model", "model", 9)["id"] == collection["id"]
        with pytest.raises(RequestError, match="of type 'model'"):
            collections.ensure(db, 1, "model", "dataset", 9)
        assert collections.find(db, 1, "model:v3") is not None
        assert collections.by_id(db, identifier(collection))["name"] == "model"


@pytest.mark.parametrize("name", ["model:x", "a/b", ":"])
def test_name_that_no_version_could_be_asked_for_by_is_refused(store: Store, collection: Any, name: str) -> None:
    with store.transaction() as db, pytest.raises(RequestError, match="must hold no / and no :"):
        collections.ensure(db, 1, name, "model", 9)
    with pytest.raises(RequestError, match="must hold no / and no :"):
        collections.update(store, {"artifactSequenceID": identifier(collection), "name": name})


def test_renamed_collection_keeps_its_versions(store: Store, collection: Any) -> None:
    values = {"artifactSequenceID": identifier(collection), "name": "new", "description": "words"}
    collections.update(store, values)
    with store.transaction() as db:
        assert collections.find(db, 1, "model") is None
        assert artifact_versions.find(db, 1, "new:v0") is not None
        collections.ensure(db, 1, "taken", "model", 9)
    with pytest.raises(RequestError, match="'taken' already"):
        collections.update(store, {**values, "name": "taken"})


def test_types_are_those_of_the_collections(store: Store, collection: Any) -> None:
    with store.transaction() as db:
        collections.ensure(db, 1, "data", "dataset", 9)
        assert [row["type"] for row in collections.types(db, 1)] == ["dataset", "model"]
        assert [row["name"] for row in collections.of_project(db, 1)] == ["data", "model"]
        assert [row["name"] for row in collections.of_project(db, 1, "model")] == ["model"]
    collections.change_type(store, identifier(collection), "dataset")
    with store.reading() as db:
        assert [row["type"] for row in collections.types(db, 1)] == ["dataset"]
        assert artifact_versions.versions(db, 1, "model")[0]["type"] == "dataset"


def test_tags_are_added_once_and_removed(store: Store, collection: Any) -> None:
    name = collection["name"]
    assert collections.tag(store, 1, name, add=["a", "b", "a"]) == ["a", "b"]
    assert collections.tag(store, 1, name, add=["c"], remove=["a", "nosuch"]) == ["b", "c"]
    with pytest.raises(RequestError, match="unknown artifact collection"):
        collections.tag(store, 1, "nosuch", add=["a"])
