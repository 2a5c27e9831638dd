"""The names of files in addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from asgi import call
from stored import make_run
from wandb_carbs.server.app import create_app
from wandb_carbs.server.keys import Key
from wandb_carbs.server.store.files import RunFiles

if TYPE_CHECKING:
    from pathlib import Path

    from wandb_carbs.server.store.database import Store


@pytest.mark.parametrize("name", ["a", "b/c d?e", "line\nend\n", "\n"])
def test_a_file_may_have_any_name(store: Store, tmp_path: Path, name: str) -> None:
    app = create_app(store, key=Key(tmp_path / "key", "k" * 40), files_dir=tmp_path / "files")
    run_id = make_run(store, "r")
    files = RunFiles(store, tmp_path / "files", lambda: "k" * 40)
    assert call(app, "PUT", unquote(files.upload_address(run_id, name)), b"content").status == 200
    read = call(app, "GET", unquote(files.address(run_id, name)))
    assert (read.status, read.body) == (200, b"content")
