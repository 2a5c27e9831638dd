"""Manifests: entries, and the bytes of each."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import artifact_deletion, artifact_versions, artifacts, manifests
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.files import RunFiles
from wandb_carbs.server.store.ids import global_id

if TYPE_CHECKING:
    from pathlib import Path

DIGEST = base64.b64encode(bytes(16)).decode()


class World:
    """A run with artifacts, whose files are on the disk."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.run_id = make_run(store, "r")
        self.files = RunFiles(store, folder / "files", lambda: "secret")

    def create(self) -> int:
        return artifacts.create(self.store, {"projectName": "p", "runName": "r", "artifactCollectionName": "model"})

    def put(self, name: str, content: bytes) -> None:
        with self.files.begin() as upload:
            upload.write(content)
            self.files.keep(upload, self.run_id, name)

    def manifest(self, artifact_id: int, content: Any) -> None:
        data = content if isinstance(content, bytes) else json.dumps({"contents": content}).encode()
        self.put(artifact_versions.manifest_name(artifact_id), data)

    def file(self, artifact_id: int, name: str) -> None:
        self.put(artifact_versions.file_name(artifact_id, name), b"bytes")

    def complete(self, artifact_id: int) -> list[artifact_versions.Entry]:
        with self.store.reading() as db:
            return manifests.complete(db, self.files, self.row(artifact_id))

    def row(self, artifact_id: int) -> Any:
        with self.store.reading() as db:
            return artifact_versions.by_id(db, global_id("Artifact", artifact_id))

    def nodes(self, artifact_id: int) -> list[dict[str, Any]]:
        with self.store.reading() as db:
            entries = manifests.entries_of(db, artifact_id)
            return [manifests.node(db, self.files, self.row(artifact_id), entry, "http://here") for entry in entries]

    def commit(self, artifact_id: int) -> None:
        artifacts.commit(self.store, global_id("Artifact", artifact_id), self.complete(artifact_id))


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    return World(store, tmp_path)


def test_entries_are_complete_once_their_files_are_there(world: World) -> None:
    artifact_id = world.create()
    with pytest.raises(RequestError, match="manifest of artifact 'model' has not arrived"):
        world.complete(artifact_id)
    world.manifest(artifact_id, {"a": {"digest": DIGEST, "size": 5}, "b": {"digest": "x", "ref": "https://b"}})
    with pytest.raises(RequestError, match="files of artifact 'model' have not arrived: a"):
        world.complete(artifact_id)
    world.file(artifact_id, "a")
    own, reference = world.complete(artifact_id)
    assert (own.path, own.size, own.reference, own.birth_id) == ("a", 5, None, artifact_id)
    assert (reference.path, reference.reference) == ("b", "https://b")


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\xff", b'{"contents": []}', b"[" * 100_000, {"a": 3}, {"a": {}}, {"a": {"digest": 3}}],
    ids=range(8),
)
def test_malformed_manifest_is_refused(world: World, content: Any) -> None:
    artifact_id = world.create()
    world.manifest(artifact_id, content)
    with pytest.raises(RequestError, match="manifest of artifact 'model'"):
        world.complete(artifact_id)


def test_manifest_has_a_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, "MAX_MANIFEST", 2**20)
    artifact_id = world.create()
    world.manifest(artifact_id, b" " * (2**20 + 1))
    with pytest.raises(RequestError, match="more than 1 MB") as refused:
        world.complete(artifact_id)
    assert refused.value.status == 413


def test_increment_is_completed_by_the_version_that_it_adds_to(world: World) -> None:
    first, second = world.create(), world.create()
    world.manifest(first, {"a": {"digest": DIGEST}, "b": {"digest": DIGEST}})
    world.file(first, "a")
    world.file(first, "b")
    world.commit(first)
    artifacts.set_base(world.store, global_id("Artifact", second), None)
    world.manifest(second, {"b": {"digest": "new"}})
    world.file(second, "b")
    world.commit(second)
    with world.store.reading() as db:
        found = {entry.path: (entry.birth_id, entry.digest) for entry in manifests.entries_of(db, second)}
    assert found == {"a": (first, DIGEST), "b": (second, "new")}
    path = world.files.path(world.run_id, artifact_versions.manifest_name(second))
    assert json.loads(path.read_bytes())["contents"].keys() == {"a", "b"}  # as clients download it


def test_increment_of_a_version_that_was_deleted_is_refused(world: World) -> None:
    """It would lose the entries that it does not name."""
    first, second = world.create(), world.create()
    world.manifest(first, {"a": {"digest": DIGEST}})
    world.file(first, "a")
    world.commit(first)
    artifacts.set_base(world.store, global_id("Artifact", second), None)
    world.manifest(second, {})
    artifact_deletion.delete(world.store, global_id("Artifact", first), with_aliases=True)
    with pytest.raises(RequestError, match="artifact 'model' adds to was deleted"):
        world.commit(second)


def test_nodes_have_the_address_of_the_bytes(world: World) -> None:
    artifact_id = world.create()
    world.manifest(artifact_id, {"a": {"digest": DIGEST}, "b": {"digest": "x", "ref": "https://b"}})
    world.file(artifact_id, "a")
    world.commit(artifact_id)
    own, reference = world.nodes(artifact_id)
    assert own["directUrl"].startswith("http://here/storage/")
    assert (own["sizeBytes"], reference["directUrl"]) == (5, "https://b")


def test_file_is_found_at_the_address_that_old_clients_put_together(world: World) -> None:
    artifact_id = world.create()
    world.manifest(artifact_id, {"a": {"digest": DIGEST}})
    world.file(artifact_id, "a")
    world.commit(artifact_id)
    birth = global_id("Artifact", artifact_id)
    with world.store.reading() as db:
        for place in (f"default/local/{birth}/{'00' * 16}", f"default/local/p/model/{birth}/{'00' * 16}/a"):
            path = manifests.file_at(db, world.files, place)
            assert path is not None
            assert path.read_bytes() == b"bytes"
        for place in (f"default/local/{birth}/{'11' * 16}", "default", "a/b/c", f"default/local/{birth}/zz"):
            assert manifests.file_at(db, world.files, place) is None


def test_renamed_file_is_not_taken_for_the_one_that_had_its_name(world: World) -> None:
    first, second = world.create(), world.create()
    world.manifest(first, {"a": {"digest": DIGEST}, "b": {"digest": "other"}})
    world.file(first, "a")
    world.put(artifact_versions.file_name(first, "b"), b"more bytes")
    world.commit(first)
    world.manifest(second, {"b": {"digest": DIGEST, "birthArtifactID": global_id("Artifact", first)}})
    world.commit(second)
    (node,) = world.nodes(second)
    assert node["sizeBytes"] == len(b"bytes")


def test_inherited_file_is_found_once_the_version_of_its_birth_is_deleted(world: World) -> None:
    first, second = world.create(), world.create()
    world.manifest(first, {"a": {"digest": DIGEST}})
    world.file(first, "a")
    world.commit(first)
    birth = global_id("Artifact", first)
    world.manifest(second, {"renamed": {"digest": DIGEST, "birthArtifactID": birth}})
    world.commit(second)
    gone = artifact_deletion.delete(world.store, birth, with_aliases=True)
    assert gone == [(world.run_id, artifact_versions.manifest_name(first))]
    with world.store.reading() as db:
        path = manifests.file_at(db, world.files, f"default/local/{birth}/{'00' * 16}")
    (node,) = world.nodes(second)
    assert path is not None
    assert path.read_bytes() == b"bytes"
    assert node["directUrl"].startswith("http://here/storage/")
