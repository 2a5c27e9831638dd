"""Files under way."""

from __future__ import annotations

from pathlib import Path

from wandb_carbs.server.server import LocalServer


def test_what_killed_uploads_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "tmpabc").write_text("half a file")
    with LocalServer(tmp_path):
        assert list((tmp_path / "uploads").iterdir()) == []
