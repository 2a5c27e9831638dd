"""Deleted versions of artifacts, whose files stay as long as others need them, and no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stored import ask, make_run
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import artifact_versions, artifacts
from wandb_carbs.server.store.artifact_deletion import delete, keep
from wandb_carbs.server.store.artifact_versions import Entry
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.files import RunFiles
from wandb_carbs.server.store.ids import global_id

if TYPE_CHECKING:
    from pathlib import Path


class World:
    """Artifacts of runs, whose files are on the disk."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder
        self.files = RunFiles(store, folder, lambda: "secret")
        for run in ("r", "s"):
            make_run(store, run, state="finished")

    def create(self, run: str = "r", aliases: tuple[str, ...] = ()) -> int:
        """Create a version that is not committed, and upload one file."""
        values = {"projectName": "p", "runName": run, "artifactCollectionName": "model"}
        artifact_id = artifacts.create(self.store, {**values, "aliases": [{"alias": alias} for alias in aliases]})
        self.put(artifact_id, "a")
        return artifact_id

    def put(self, artifact_id: int, name: str) -> None:
        with self.files.begin() as upload:
            upload.write(b"bytes")
            self.files.keep(upload, self.row(artifact_id)["run_id"], artifact_versions.file_name(artifact_id, name))

    def version(self, *inherited: int, run: str = "r", aliases: tuple[str, ...] = ()) -> int:
        """Make a version with one file of its own, and one of each version that it has inherited some from."""
        artifact_id = self.create(run, aliases)
        entries = [Entry("a", "x", 5, None, artifact_id)]
        entries += [Entry(f"of {birth}", "x", 5, None, birth) for birth in inherited]
        artifacts.commit(self.store, global_id("Artifact", artifact_id), entries)
        return artifact_id

    def whole(self, **born: int) -> int:
        """Make a version of the files a and b, each with a digest of its own; `born` says where an inherited one is."""
        artifact_id = self.create()
        self.put(artifact_id, "b")
        self.put(artifact_id, "manifest")
        entries = [Entry(name, f"digest of {name}", 5, None, born.get(name, artifact_id)) for name in ("a", "b")]
        artifacts.commit(self.store, global_id("Artifact", artifact_id), entries)
        return artifact_id

    def names(self, artifact_id: int) -> set[str]:
        """Return a version's files that are there."""
        run_id = self.row(artifact_id)["run_id"]
        some = {name: artifact_versions.file_name(artifact_id, name) for name in ("a", "b", "manifest")}
        return {name for name, file in some.items() if self.files.path(run_id, file).exists()}

    def row(self, artifact_id: int) -> Any:
        with self.store.reading() as db:
            return artifact_versions.by_id(db, global_id("Artifact", artifact_id))

    def delete(self, artifact_id: int) -> None:
        self.files.unlink(delete(self.store, global_id("Artifact", artifact_id), with_aliases=True))

    def delete_run(self, run: str, **more: Any) -> None:
        with self.store.reading() as db:
            run_id = db.execute("SELECT id FROM runs WHERE name = ?", (run,)).fetchone()["id"]
        query = """mutation D($i: ID!, $d: Boolean) { deleteRun(input: {id: $i, deleteArtifacts: $d}) {
            clientMutationId } }"""
        assert ask(self.store, query, self.folder, i=global_id("Run", run_id), **more).status == 200

    def stored(self) -> set[int]:
        """Return the versions whose own file is there; the rows and the disk agree."""
        with self.store.reading() as db:
            rows = db.execute("SELECT run_id, name FROM files").fetchall()
        on_disk = {path for path in self.folder.rglob("*") if path.is_file()}
        assert on_disk == {self.files.path(row["run_id"], row["name"]) for row in rows}
        return {int(row["name"].split("/")[1]) for row in rows}


@pytest.fixture
def world(store: Store, tmp_path: Path) -> World:
    return World(store, tmp_path / "files")


def test_version_with_aliases_is_deleted_only_when_that_is_asked_for(world: World) -> None:
    artifact_id = world.version(aliases=("latest", "best"))
    with pytest.raises(RequestError, match="aliases best") as refused:
        delete(world.store, global_id("Artifact", artifact_id), with_aliases=False)
    assert refused.value.status == 409
    world.delete(artifact_id)
    assert world.row(artifact_id)["state"] == artifact_versions.DELETED
    assert world.row(world.version())["version"] == 1, "a number is not given again"


def test_files_that_a_later_version_inherits_outlive_their_version_but_not_their_heirs(world: World) -> None:
    first = world.version()
    second = world.version(first)
    third = world.version(first, second)
    world.delete(first)
    world.delete(second)
    assert world.stored() == {first, second, third}
    world.delete(third)
    assert world.stored() == set()


def test_deleted_version_keeps_no_files_of_others(world: World) -> None:
    """Its own are needed, those that it has inherited are not."""
    first = world.version()
    second = world.version(first)
    third = world.version(second)
    world.delete(second)
    world.delete(first)
    assert world.stored() == {second, third}


def test_deleted_version_keeps_only_what_others_have_inherited(world: World) -> None:
    first = world.whole()
    of_a, of_both = world.whole(a=first), world.whole(a=first, b=first)
    world.delete(first)
    assert world.names(first) == {"a", "b"}
    world.delete(of_both)
    assert world.names(first) == {"a"}
    world.delete(of_a)
    assert world.names(first) == set()


def test_artifacts_are_kept_though_the_server_was_killed_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact_id = world.whole()
    run_id, move = world.row(artifact_id)["run_id"], world.files.move
    left = [1]

    def move_one(*arguments: Any) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()
        move(*arguments)

    monkeypatch.setattr(world.files, "move", move_one)
    with pytest.raises(KeyboardInterrupt):
        keep(world.store, world.files, run_id)
    make_run(world.store, "another")  # whose number the undone one could have had
    monkeypatch.undo()
    keep(world.store, world.files, run_id)
    kept = world.row(artifact_id)["run_id"]
    assert kept != run_id
    names = [artifact_versions.file_name(artifact_id, name) for name in ("a", "b", "manifest")]
    assert [world.files.path(kept, name).read_bytes() for name in names] == [b"bytes"] * 3


def test_renamed_file_of_a_deleted_version_stays(world: World) -> None:
    first, heir = world.whole(), world.create()
    artifacts.commit(world.store, global_id("Artifact", heir), [Entry("b", "digest of a", 5, None, first)])
    world.delete(first)
    assert world.names(first) == {"a"}, "the heir's b is the a of the first"


def test_version_whose_entries_were_never_stored_keeps_all_that_others_may_need(world: World) -> None:
    first = world.whole()
    heir = world.whole(a=first)
    with world.store.transaction() as db:
        db.execute("DELETE FROM entries WHERE artifact_id = ?", (first,))  # as before the third schema
    world.delete(first)
    assert world.names(first) == {"a", "b", "manifest"}
    world.delete(heir)
    assert world.names(first) == set()


def test_deletion_does_not_look_at_the_entries_of_other_artifacts(world: World) -> None:
    others, gone = world.create(), world.version(world.version())
    entries = [Entry(str(number), "x", 5, None, others) for number in range(5_000)]
    artifacts.commit(world.store, global_id("Artifact", others), entries)
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 100

    with world.store.transaction() as db:
        db.set_progress_handler(count, 100)
        world.delete(gone)
        db.set_progress_handler(None, 0)
    assert steps < len(entries)  # a step of SQLite's machine is less than one look


def test_artifacts_outlive_their_run(world: World) -> None:
    artifact_id = world.version()
    world.create()  # never committed
    world.delete_run("r")
    assert world.stored() == {artifact_id}
    assert world.row(artifact_id)["state"] == artifact_versions.COMMITTED
    world.delete(artifact_id)
    assert world.stored() == set()


def test_artifacts_that_go_with_their_run_leave_what_others_have_inherited(world: World) -> None:
    first, second = world.version(), world.version()
    heir = world.version(first, run="s")
    world.delete_run("r", d=True)
    assert world.stored() == {first, heir}
    assert {world.row(gone)["state"] for gone in (first, second)} == {artifact_versions.DELETED}
    assert world.row(world.version(run="s"))["version"] == 3, "numbers are not given again"
