"""The API key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from wandb_carbs.cli.commands.server import command
from wandb_carbs.server.errors import ServerError
from wandb_carbs.server.keys import Key, rotate
from wandb_carbs.server.server import LocalServer, rotate_key


def test_key_is_kept_for_its_owner_only(tmp_path: Path) -> None:
    with LocalServer(tmp_path / "data") as server:
        key = server.api_key
        assert server.env() == {"WANDB_BASE_URL": server.url, "WANDB_API_KEY": key}
    assert len(key) == 40
    assert stat.S_IMODE((tmp_path / "data" / "api-key").stat().st_mode) == 0o600
    with LocalServer(tmp_path / "data") as server:
        assert server.api_key == key


@pytest.mark.parametrize("rest", ["", "\n"])
def test_key_that_a_full_disk_left_empty_is_made_anew(tmp_path: Path, rest: str) -> None:
    (tmp_path / "api-key").write_text(rest)
    with LocalServer(tmp_path) as server:
        assert len(server.api_key) == 40
        assert (tmp_path / "api-key").read_text().strip() == server.api_key


def test_rotated_key_counts_at_once(tmp_path: Path) -> None:
    with LocalServer(tmp_path) as server:
        old = server.api_key
        new = rotate_key(tmp_path)
        assert new != old
        assert server.api_key == new
    assert stat.S_IMODE((tmp_path / "api-key").stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["short", "x" * 41, "-" * 40])
def test_malformed_key_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(ServerError, match="40 letters and digits"):
        LocalServer(tmp_path, api_key=key).start()


def test_key_is_printed_and_rotated(tmp_path: Path) -> None:
    with LocalServer(tmp_path) as server:
        old = server.api_key
    run = CliRunner()
    assert run.invoke(command, ["key", "--data-dir", str(tmp_path)]).output.strip() == old
    new = run.invoke(command, ["--data-dir", str(tmp_path), "key", "--rotate"]).output.strip()
    assert new == (tmp_path / "api-key").read_text().strip() != old
    failed = run.invoke(command, ["key", "--data-dir", str(tmp_path / "nosuch")])
    assert isinstance(failed.exception, ServerError)


def test_half_written_file_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "api-key"
    key = Key(path)
    value = key.value
    path.write_text("half")
    assert key.value == value
    path.unlink()
    assert key.value == value
    assert rotate(path) == key.value != value


def test_given_key_needs_no_file(tmp_path: Path) -> None:
    assert Key(tmp_path / "api-key", "k" * 40).value == "k" * 40
    assert list(tmp_path.iterdir()) == []
