"""The names of files in addresses: `{name:file}` in a route."""

from __future__ import annotations

from starlette.convertors import PathConvertor, register_url_convertor


class _FileName(PathConvertor):
    """Any text, as the SDK uploads files of any name: Starlette's own `path` matches no line ends."""

    regex = "(?s:.*)"


def register() -> None:
    """Make Starlette know it; more than once is no harm."""
    register_url_convertor("file", _FileName())
