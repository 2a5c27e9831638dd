"""Files that runs upload."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from stored import make_run
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.files import RunFiles, count_of_run, file_id, file_of, of_run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def files(store: Store, tmp_path: Path) -> RunFiles:
    return RunFiles(store, tmp_path / "files", lambda: "secret")


def put(files: RunFiles, run_id: int, name: str, content: bytes) -> None:
    with files.begin() as upload:
        upload.write(content)
        files.keep(upload, run_id, name)


def test_file_is_kept_listed_and_replaced(store: Store, files: RunFiles) -> None:
    run_id = make_run(store, "r")
    put(files, run_id, "a/b.txt", b"old")
    put(files, run_id, "a/b.txt", b"newer")
    assert files.path(run_id, "a/b.txt").read_bytes() == b"newer"
    with store.reading() as db:
        (row,) = of_run(db, run_id)
    node = files.node(row, "http://here")
    assert (node["name"], node["sizeBytes"], node["mimetype"]) == ("a/b.txt", 5, "text/plain")
    assert node["url"].startswith("http://here/storage/")


@pytest.mark.parametrize("name", ["../../escape", "/etc/passwd", "x" * 5000, "\ud83d", ".", ""])
def test_no_name_leads_out_of_the_folder(store: Store, files: RunFiles, tmp_path: Path, name: str) -> None:
    assert files.path(make_run(store, "r"), name).resolve().parent.parent == tmp_path / "files"


def test_signature_is_for_one_file_and_one_purpose(store: Store, files: RunFiles) -> None:
    make_run(store, "r")
    _, _, run, reads, name = files.address(1, "a b").split("/", 4)
    writes = files.upload_address(1, "a b").split("/")[3]
    name = unquote(name)
    assert files.check(run, reads, name, to_write=False) == files.check(run, writes, name, to_write=True) == 1
    assert files.check(run, writes, name, to_write=False) == 1
    for wrong in (("2", reads, name), (run, reads, "b"), (run, "", name)):
        with pytest.raises(RequestError, match="not made by this server"):
            files.check(*wrong, to_write=False)
    with pytest.raises(RequestError, match="not made by this server"):
        files.check(run, reads, name, to_write=True)


def test_file_of_a_run_that_is_gone_is_refused(files: RunFiles, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="gone"):
        put(files, 99, "a", b"x")
    assert list((tmp_path / "uploads").iterdir()) == []


def test_files_are_deleted_all_or_none(store: Store, files: RunFiles) -> None:
    run_id = make_run(store, "r")
    for name in ("a", "b", "c"):
        put(files, run_id, name, b"x")
    with pytest.raises(RequestError, match="unknown file id"):
        files.delete_some([file_id(run_id, "a"), "nosuch"])
    assert files.path(run_id, "a").exists()
    files.delete_some([file_id(run_id, "a"), file_id(run_id, "b"), file_id(run_id, "gone already")])
    with store.reading() as db:
        assert [row["name"] for row in of_run(db, run_id)] == ["c"]
    assert not files.path(run_id, "a").exists()


def test_files_of_artifacts_are_not_listed_among_a_runs_own(store: Store, files: RunFiles) -> None:
    run_id = make_run(store, "r")
    for name in ("artifact/1/wandb_manifest.json", "Artifact/a", "artifact"):
        put(files, run_id, name, b"x")
    with store.reading() as db:
        assert [row["name"] for row in of_run(db, run_id)] == ["Artifact/a", "artifact"]
        assert count_of_run(db, run_id) == 2


def test_identifier_stands_for_run_and_name() -> None:
    assert file_of(file_id(3, "a:b/c")) == (3, "a:b/c")
