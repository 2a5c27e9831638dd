"""Artifacts: versions, aliases, tags."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stored import make_run
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import artifact_versions, artifacts
from wandb_carbs.server.store.artifact_versions import Entry
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import global_id


def create(store: Store, name: str = "model", **values: Any) -> int:
    """Create an artifact of the run `r`."""
    made = {"projectName": "p", "runName": "r", "artifactCollectionName": name, "artifactTypeName": "model"}
    aliases = [{"alias": alias} for alias in values.pop("aliases", [])]
    return artifacts.create(store, {**made, "aliases": aliases, **values})


def commit(store: Store, artifact_id: int, *entries: Entry) -> None:
    artifacts.commit(store, global_id("Artifact", artifact_id), entries)


def version(store: Store, artifact_id: int) -> Any:
    with store.reading() as db:
        return artifact_versions.by_id(db, global_id("Artifact", artifact_id))


def test_versions_are_numbered_as_they_are_committed(store: Store) -> None:
    make_run(store, "r")
    first, second, other = create(store), create(store), create(store, "other")
    for artifact_id in (second, first, other, first):  # a second time changes nothing
        commit(store, artifact_id)
    assert [version(store, i)["version"] for i in (first, second, other)] == [1, 0, 0]


def test_repeated_request_stands_for_the_artifact_that_is_there(store: Store) -> None:
    make_run(store, "r")
    assert create(store, clientID="c") == create(store, clientID="c") != create(store, clientID="d")


def test_same_content_is_the_same_version_which_takes_over_the_aliases(store: Store) -> None:
    make_run(store, "r")
    same: dict[str, Any] = {"digest": "abc", "enableDigestDeduplication": True}
    first = create(store, aliases=["best"], **same)
    commit(store, first)
    assert create(store, aliases=["latest"], **same) == first
    assert json.loads(version(store, first)["aliases"]) == ["best", "latest"]
    assert create(store, digest="abc") != first


def test_alias_belongs_to_the_version_that_got_it_last(store: Store) -> None:
    make_run(store, "r")
    first, second = create(store, aliases=["best", "old"]), create(store, aliases=["best"])
    commit(store, first)
    commit(store, second)
    assert json.loads(version(store, first)["aliases"]) == ["old"]
    artifacts.update(store, {"artifactID": global_id("Artifact", first), "aliases": [{"alias": "best"}]})
    assert json.loads(version(store, first)["aliases"]) == ["best"]
    assert json.loads(version(store, second)["aliases"]) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"artifactCollectionName": None}, "needs a name"),
        ({"runName": "nosuch"}, "unknown run"),
        ({"storageRegion": "mars"}, "storageRegion"),
        ({"metadata": "[]"}, "metadata"),
    ],
)
def test_malformed_artifact_is_refused(store: Store, values: dict[str, Any], message: str) -> None:
    make_run(store, "r")
    with pytest.raises(RequestError, match=message):
        create(store, **values)
    with store.reading() as db:
        assert db.execute("SELECT count(*) FROM artifacts").fetchone()[0] == 0


def test_name_of_another_type_is_refused(store: Store) -> None:
    make_run(store, "r")
    create(store)
    with pytest.raises(RequestError, match="of type 'model'"):
        create(store, artifactTypeName="dataset")


def test_update_changes_what_is_given_and_keeps_the_rest(store: Store) -> None:
    make_run(store, "r")
    artifact_id = create(store, description="words", tags=[{"tagName": "a"}, {"tagName": "b"}])
    identifier = global_id("Artifact", artifact_id)
    tags = {"tagsToAdd": [{"tagName": "c"}], "tagsToDelete": [{"tagName": "a"}]}
    artifacts.update(store, {"artifactID": identifier, "metadata": '{"x": 1}', **tags})
    row = version(store, artifact_id)
    assert (row["description"], row["metadata"], json.loads(row["tags"])) == ("words", '{"x": 1}', ["b", "c"])


def test_use_is_noted_once(store: Store) -> None:
    run_id = make_run(store, "r")
    artifact_id = create(store)
    commit(store, artifact_id)
    values = {"artifactID": global_id("Artifact", artifact_id), "projectName": "p", "runName": "r"}
    artifacts.use(store, values)
    artifacts.use(store, values)
    with store.reading() as db:
        assert [row["id"] for row in artifact_versions.used_by_run(db, run_id)] == [artifact_id]
        assert [row["name"] for row in artifact_versions.users(db, artifact_id)] == ["r"]
    with pytest.raises(RequestError, match="unknown run"):
        artifacts.use(store, {**values, "runName": "nosuch"})
