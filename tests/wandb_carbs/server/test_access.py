"""Who may see the pages, and how the printed address lets a browser in."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from wandb_carbs.server.access import TOKEN, Access
from wandb_carbs.server.keys import Key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.wandb_carbs.server.conftest import Client


def token_of(client: Client, tmp_path: Path) -> str:
    return Access(Key(tmp_path / "none", client.server.api_key), "127.0.0.1").token


def test_own_pages_on_loopback_need_no_key(client: Client) -> None:
    assert client.send("/", has_key=False).status == 200


def test_another_user_of_the_machine_needs_the_key_or_the_cookie(client: Client, tmp_path: Path) -> None:
    """The server takes a visitor for another user when the connection is not its own user's."""
    with patch("wandb_carbs.server.access.os.geteuid", return_value=os.geteuid() + 1):
        assert client.send("/", has_key=False).status == 401
        assert client.send("/").status == 200
        entry = client.send(f"/?{TOKEN}={token_of(client, tmp_path)}", has_key=False)
        assert (entry.status, entry.headers["location"]) == (303, "/")
        cookie = entry.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie
        assert client.send("/", has_key=False, headers={"Cookie": cookie.partition(";")[0]}).status == 200
        assert client.send(f"/?{TOKEN}={'0' * 40}", has_key=False).status == 401


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_connection_of_another_user_is_told_apart(client: Client) -> None:
    code = "import urllib.request, sys; urllib.request.urlopen(sys.argv[1])"
    command = [sys.executable, "-I", "-c", code, client.server.url]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    found = subprocess.run(["/usr/bin/env", "python3", *command[1:]], check=False, capture_output=True, user=65534)
    assert b"401" in found.stderr or b"ermission denied" in found.stderr


def test_cookie_ends_with_the_key(client: Client, tmp_path: Path) -> None:
    token = token_of(client, tmp_path)
    other = Access(Key(tmp_path / "none", "k" * 40), "127.0.0.1").token
    assert token != other


def test_pages_beyond_loopback_need_the_key(tmp_path: Path) -> None:
    from wandb_carbs.server.server import LocalServer

    with LocalServer(tmp_path / "server", host="0.0.0.0") as server:
        import urllib.error
        import urllib.request

        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(server.url, timeout=20)
