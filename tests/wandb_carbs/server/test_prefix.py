"""The path below which a proxy shows this server."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from wandb_carbs.server.prefix import prefix_of


@pytest.mark.parametrize(
    ("header", "prefix"),
    [
        (None, ""),
        ("", ""),
        ("/sweeps", "/sweeps"),
        ("/a/b-c.d~1/", "/a/b-c.d~1"),
        ("sweeps", ""),
        ("//evil.example", ""),
        ("/a/../b?c", ""),
        ('/"><script>', ""),
        ("/a" * 20, ""),
    ],
)
def test_prefix_is_a_plain_path_or_nothing(header: str | None, prefix: str) -> None:
    headers = [] if header is None else [(b"x-forwarded-prefix", header.encode())]
    assert prefix_of(Request({"type": "http", "headers": headers})) == prefix
