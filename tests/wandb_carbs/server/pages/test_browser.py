"""The pages in a real browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from browser import CHROMIUM, Browser
from site_of_runs import Site
from wandb_carbs.server.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]


def seen_again(condition: str) -> str:
    """Return a condition that makes the page ask for news at once, as if the visitor came back to it."""
    return f"(document.dispatchEvent(new Event('visibilitychange')), {condition})"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Browser]:
    """Return a browser in which nothing has gone wrong, and check that nothing has at the end."""
    browser.problems.clear()
    browser.size(1200)
    yield browser
    assert browser.problems == []


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with LocalServer(tmp_path_factory.mktemp("server")) as server:
        yield Site(server)


def test_every_page_is_drawn(page: Browser, site: Site) -> None:
    logged = {"_step": 9, "weights": {"_type": "histogram", "bins": [0, 1, 2], "values": [3, 4]}}
    lines = {"wandb-history.jsonl": {"offset": 5, "content": [json.dumps(logged)]}}
    site.post("/files/local/p/r1/file_stream", {"files": lines})
    sweep = f"/local/p/sweeps/{site.sweep}"
    drawn = "document.querySelectorAll('{} .main-svg').length"
    for path, condition in (
        ("/", "document.querySelector('a[href=\"/local/p\"]')"),
        ("/local/p", "document.querySelectorAll('tbody tr').length > 4"),
        (sweep, drawn.format("[data-figure=frontier]")),
        (sweep, drawn.format("[data-overlay-figure]")),
        ("/local/p/runs/r1", drawn.format("[data-charts]")),
        ("/local/p/runs/r1", "document.querySelector('[data-console]').innerText.includes('plain')"),
        ("/local/p/compare?run=r0&run=r1", drawn.format("[data-compare]")),
    ):
        page.open(site.server.url + path)
        page.wait(condition)
        page.wait("document.getElementById('updated').textContent.startsWith('updated')")
    page.open(f"{site.server.url}/local/p/runs/r1")
    page.evaluate("document.querySelector('[data-histogram]').scrollIntoView()")
    page.wait(drawn.format("[data-histogram]"))


def test_no_page_is_wider_than_a_phone(page: Browser, site: Site) -> None:
    page.size(390, is_dark=True)
    for path in ("/", "/local/p", f"/local/p/sweeps/{site.sweep}", "/local/p/runs/r1"):
        page.open(site.server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 21, 28)"


def test_what_runs_report_appears(page: Browser, site: Site) -> None:
    page.open(f"{site.server.url}/local/p/sweeps/{site.sweep}")
    page.wait("document.querySelector('[data-figure=frontier] .main-svg')")
    summary = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2.0, "carbs.suggestion": '{"x": 5}'}
    site.run("new", {"x": 5}, summary, complete=True)
    page.wait(seen_again("document.querySelector('[data-live=facts]').innerText.includes('4 observed')"))
    page.wait("document.querySelector('#runs').innerText.includes('new')")
    drawn = "document.querySelector('[data-figure=frontier] .plot').data"
    page.wait(f"{drawn}.some((trace) => (trace.customdata || []).includes('new'))")


def test_a_part_that_is_used_is_left_alone(page: Browser, site: Site) -> None:
    page.open(f"{site.server.url}/local/p/sweeps/{site.sweep}")
    page.evaluate("document.querySelector('input[name=run]').click()")
    site.run("new", {"x": 5}, {}, complete=True)
    page.wait(seen_again("document.querySelector('[data-live=facts]').innerText.includes('6 runs')"))
    assert page.evaluate("document.querySelector('input[name=run]').checked")
    assert not page.evaluate("document.querySelector('#runs').innerText.includes('new')")


def test_an_outage_is_said(page: Browser, site: Site) -> None:
    page.open(f"{site.server.url}/local/p")
    site.server.stop()
    page.wait(seen_again("document.getElementById('updated').textContent.includes('does not answer')"))
    page.problems.clear()  # the browser names the address that does not answer


def test_deletion_needs_the_key(page: Browser, site: Site) -> None:
    address = f"{site.server.url}/local/p/runs/r0"
    page.open(address)
    page.answer_dialogs("x" * 40)
    page.evaluate("document.querySelector('[data-state=delete]').click()")
    page.wait("document.querySelector('[data-actions] [role=status]').textContent.includes('key')")
    page.problems.clear()  # the browser names the request that was refused
    assert site.get("/local/p/runs/r0")
    page.answer_dialogs(site.server.api_key)
    page.evaluate("document.querySelector('[data-state=delete]').click()")
    page.wait(f"location.pathname === '/local/p/sweeps/{site.sweep}'")
    site.get("/local/p/runs/r0", 404)
