"""Tables of runs: what an address asks for, and what is shown."""

from __future__ import annotations

import re

import pytest

from site_of_runs import Site
from wandb_carbs.server.pages.tables import Query


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["alive", "r2", "r1", "r0"]),
        ("?q=R1", ["r1"]),
        ("?state=running", ["alive"]),
        ("?state=success&sort=objective", ["r0", "r1", "r2"]),
        ("?sort=-cost", ["r0", "r2", "r1", "alive"]),
        ("?sort=x", ["r0", "r1", "r2", "alive"]),
        ("?sort=nosuch&page=99", ["alive", "r2", "r1", "r0"]),
    ],
)
def test_table_is_searched_filtered_and_sorted(site: Site, query: str, names: list[str]) -> None:
    page, _ = site.get(f"/local/p/sweeps/{site.sweep}{query}")
    shown = re.findall(r'name="run" value="([a-z0-9]+)"', page)
    assert [name for name in shown if name in {"alive", "r0", "r1", "r2"}] == names


def test_an_address_says_what_is_asked_for() -> None:
    query = Query.of({"q": "a b", "state": "running", "sort": "-cost", "page": "2"}, ["x", "y"])
    assert query == Query("a b", "running", "cost", descending=True, page=2, columns=("x", "y"))
    assert query.address(page=3) == "?q=a+b&state=running&sort=-cost&page=3&column=x&column=y"
    assert query.address(sort="x") == "?q=a+b&state=running&sort=x&column=x&column=y"
    assert Query().address() == "?"


@pytest.mark.parametrize("page", ["-1", "x", "", "²", "9" * 30, "1e3"])
def test_odd_pages_are_the_first(page: str) -> None:
    assert Query.of({"page": page}, []).page == 0


def test_columns_are_chosen(site: Site) -> None:
    page, _ = site.get(f"/local/p/sweeps/{site.sweep}?column=x")
    assert 'value="x" checked' in page
    assert page.count('name="column"') == 2
    assert page.count(" checked") == 1
