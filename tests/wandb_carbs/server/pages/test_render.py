"""How pages write values."""

from __future__ import annotations

import math
from typing import Any

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.pages.render import address, duration, moment, render, size, static_file, value_text
from wandb_carbs.server.prefix import PREFIX


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0123, "0.0123 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (3725, "1 h 2 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_durations_have_two_units(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2e6, "2 MB"), (3e9, "3 GB"), (5e12, "5 TB")),
        *((999_499, "999 kB"), (999_600, "1 MB"), (999_999_999, "1 GB")),
    ],
)
def test_sizes(number: float, text: str) -> None:
    assert size(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1 + 0.2, "0.3"), (math.inf, "inf"), ("<a>", "<a>"), ([1, "é"], '[1, "é"]'), (None, "null"), (True, "true")],
)
def test_values(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_moments_are_in_utc() -> None:
    assert moment(1_000_000) == "1970-01-01 00:00:01"


def test_addresses_are_quoted_and_below_the_prefix() -> None:
    token = PREFIX.set("/a")
    try:
        assert address("local", "a/b", "\ud83d?") == "/a/local/a%2Fb/%3F%3F"
    finally:
        PREFIX.reset(token)


def test_whatever_is_written_is_escaped() -> None:
    assert "<p>&lt;b&gt;</p>" in render("error.html", message="<b>")


@pytest.mark.parametrize("name", ["style.css", "live.js", "icon.svg", "plotly.min.js"])
def test_static_files_are_there(name: str) -> None:
    assert static_file(name)[0].is_file()


@pytest.mark.parametrize("name", ["", "nosuch.js", "../render.py", "static/live.js", "live.py", "."])
def test_other_files_are_not(name: str) -> None:
    with pytest.raises(RequestError, match="there is no static file"):
        static_file(name)
