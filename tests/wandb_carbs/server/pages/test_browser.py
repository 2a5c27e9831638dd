"""The pages in a real browser."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING

import pytest

from browser import CHROMIUM, Browser
from site_of_runs import EVIL, Site
from wandb_carbs.server.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")]


def seen_again(condition: str) -> str:
    """Return a condition that makes the page ask for news at once, as if the visitor came back to it."""
    return f"(document.dispatchEvent(new Event('visibilitychange')), {condition})"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        opened = Browser()
    except (AssertionError, OSError) as error:
        pytest.skip(f"Chromium does not run here: {error}")
    with opened:
        yield opened


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Browser]:  # noqa: ARG001 - the server outlives the look at it
    """Return a browser that is nowhere yet, and check that nothing has gone wrong where it was."""
    browser.size(1200)
    yield browser
    browser.evaluate("0")  # what has gone wrong until now is known now
    problems = list(browser.problems)
    browser.open("about:blank")
    browser.evaluate("0")
    browser.problems.clear()
    assert problems == []


def test_every_page_is_drawn(page: Browser, site: Site) -> None:
    logged = {"_step": 9, "weights": {"_type": "histogram", "bins": [0, 1, 2], "values": [3, 4]}}
    lines = {"wandb-history.jsonl": {"offset": 5, "content": [json.dumps(logged)]}}
    lines["wandb-events.jsonl"] = {"offset": 5, "content": ['{"_runtime": 9, "system.disk./.usagePercent": 4}']}
    site.post("/files/local/p/r1/file_stream", {"files": lines})
    sweep = f"/local/p/sweeps/{site.sweep}"
    drawn = "document.querySelector('{} .main-svg')"
    for path, conditions in {
        "/local/p": ["document.querySelectorAll('tbody tr').length > 4"],
        sweep: [drawn.format("[data-figure=frontier]"), drawn.format("[data-overlay-figure]")],
        "/local/p/runs/r1": [
            drawn.format("[data-charts]"),
            "document.querySelector('[data-console]').innerText.includes('plain')",
            "(document.querySelector('[data-histogram]').scrollIntoView(), true)",
            drawn.format("[data-histogram]"),
            "[...document.querySelectorAll('.group > summary')].some((group) => group.innerText === 'disk')",
            "[...document.querySelectorAll('.group > summary')].every((group) => group.innerText)",
        ],
        "/local/p/compare?run=r0&run=r1": [drawn.format("[data-compare]")],
    }.items():
        page.open(site.server.url + path)
        for condition in conditions:
            page.wait(condition)
        page.wait("document.getElementById('updated').textContent.startsWith('updated')")


def test_logged_figure_is_drawn_and_its_markup_does_nothing(page: Browser, site: Site) -> None:
    title = f"<b>bold</b> {EVIL} <a href='javascript:document.title=1'>link</a>"
    figure = {"data": [{"type": "scatter", "x": [1, 2], "y": [3, 4]}], "layout": {"title": {"text": title}}}
    query = """mutation { createRunFiles(input: {entityName: "local", projectName: "p", runName: "r2",
        files: ["media/plotly/f.json"]}) { files { uploadUrl } } }"""
    target = site.graphql(query)["createRunFiles"]["files"][0]["uploadUrl"]
    with urllib.request.urlopen(urllib.request.Request(target, json.dumps(figure).encode(), method="PUT")) as reply:
        assert reply.status == 200
    logged = {"_step": 9, "figure": {"_type": "plotly-file", "path": "media/plotly/f.json"}}
    lines = {"wandb-history.jsonl": {"offset": 5, "content": [json.dumps(logged)]}}
    site.post("/files/local/p/r2/file_stream", {"files": lines})
    page.open(f"{site.server.url}/local/p/runs/r2")
    page.wait("(document.querySelector('[data-plotly]').scrollIntoView(), true)")
    page.wait("document.querySelector('[data-plotly] .gtitle').textContent.includes('bold')")
    inside = "[...document.querySelectorAll('[data-plotly] *')]"
    assert page.evaluate(f"{inside}.filter((part) => /^(img|script|iframe)$/i.test(part.tagName)).length") == 0
    attributes = f"{inside}.flatMap((part) => [...part.attributes].map((each) => each.value))"
    assert page.evaluate(f"{attributes}.filter((value) => value.startsWith('javascript')).length") == 0


def test_no_button_sends_a_figure_to_others(page: Browser, site: Site) -> None:
    """Plotly has one that uploads the figure to its makers."""
    page.open(f"{site.server.url}/local/p/sweeps/{site.sweep}")
    page.wait("document.querySelector('[data-figure=frontier] .modebar-btn')")
    titles = page.evaluate("[...document.querySelectorAll('.modebar-btn')].map((button) => button.dataset.title)")
    assert "Reset axes" in titles
    assert not [title for title in titles if "hare" in title or "loud" in title]


def test_no_page_is_wider_than_a_phone(page: Browser, site: Site) -> None:
    page.size(390, is_dark=True)
    for path in ("/", f"/local/p/sweeps/{site.sweep}", "/local/p/runs/r1"):
        page.open(site.server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 21, 28)"


def test_what_runs_report_appears_but_not_where_the_visitor_is_at_work(page: Browser, site: Site) -> None:
    page.open(f"{site.server.url}/local/p/sweeps/{site.sweep}")
    page.wait("document.querySelector('[data-figure=frontier] .main-svg')")
    before = page.evaluate("document.querySelector('[data-live=runs]').innerText")
    page.evaluate("document.querySelector('input[name=run]').click()")
    summary = {"carbs.state": "success", "carbs.objective": 0.5, "carbs.cost": 2.0, "carbs.suggestion": '{"x": 5}'}
    site.run("new", {"x": 5}, summary, complete=True)
    page.wait(seen_again("document.querySelector('[data-live=facts]').innerText.includes('Best loss: 0.5')"))
    drawn = "document.querySelector('[data-figure=frontier] .plot').data"
    page.wait(f"{drawn}.some((trace) => (trace.customdata || []).includes('new'))")
    assert page.evaluate("document.querySelector('[data-live=runs]').innerText") == before
    page.evaluate("document.querySelector('input[name=run]').click(); document.activeElement.blur()")
    page.wait(seen_again("document.querySelector('[data-live=runs]').innerText.includes('new')"))


@pytest.mark.parametrize(
    ("path", "plot"),
    [("/local/p/sweeps/{}", "[data-figure=frontier] .plot"), ("/local/p/runs/r1", "[data-charts] .chart")],
)
def test_what_the_visitor_has_zoomed_into_stays_when_there_is_news(
    page: Browser, site: Site, path: str, plot: str
) -> None:
    page.open(site.server.url + path.format(site.sweep))
    page.wait(f"document.querySelector('{plot} .nsewdrag')")
    shown = f"document.querySelector('{plot}')._fullLayout.xaxis.range.join()"
    page.evaluate(f"(window.first = document.querySelector('{plot}'), window.before = {shown})")
    page.drag(f"{plot} .nsewdrag")
    page.wait(f"window.before !== {shown}")
    page.evaluate(f"(window.before = {shown}, first.on('plotly_afterplot', () => (window.isNew = true)), 0)")
    page.evaluate("document.dispatchEvent(new CustomEvent('newdata'))")
    page.wait("window.isNew")
    assert page.evaluate(f"window.before === {shown} && window.first === document.querySelector('{plot}')")


def test_a_run_that_diverged_leaves_the_others_in_sight(page: Browser, site: Site) -> None:
    row = json.dumps({"_step": 5, "_runtime": 3, "loss": 1e196})
    site.post("/files/local/p/r0/file_stream", {"files": {"wandb-history.jsonl": {"offset": 5, "content": [row]}}})
    page.open(f"{site.server.url}/local/p/sweeps/{site.sweep}")
    choose = "document.querySelector('select[data-overlay]')"
    page.wait(f"document.querySelector('[data-overlay-figure] .main-svg') && {choose}")
    page.evaluate(f"({choose}.value = 'loss', {choose}.dispatchEvent(new Event('change', {{bubbles: true}})), 0)")
    page.wait("document.querySelector('[data-overlay-figure]').innerText.includes('out of sight')")
    low, high = page.evaluate("document.querySelector('[data-overlay-figure] .plot')._fullLayout.yaxis.range")
    assert 4 < low < 5
    assert 9 < high < 10


def test_an_outage_is_said(page: Browser, tmp_path: Path) -> None:
    with LocalServer(tmp_path) as server:
        page.open(server.url)
    page.wait(seen_again("document.getElementById('updated').textContent.includes('does not answer')"))
    page.open("about:blank")
    page.problems.clear()  # the browser names the address that does not answer


def test_deletion_needs_the_key(page: Browser, site: Site) -> None:
    site.run("doomed", {"x": 5}, {}, complete=True)
    page.open(f"{site.server.url}/local/p/runs/doomed")
    page.answer_dialogs("x" * 40)
    page.evaluate("document.querySelector('[data-state=delete]').click()")
    page.wait("document.querySelector('[data-actions] [role=status]').textContent.includes('key')")
    site.get("/local/p/runs/doomed")
    page.answer_dialogs(site.server.api_key)
    page.evaluate("document.querySelector('[data-state=delete]').click()")
    page.wait(f"location.pathname === '/local/p/sweeps/{site.sweep}'")
    site.get("/local/p/runs/doomed", 404)
    page.open("about:blank")
    page.problems.clear()  # the browser names the request that was refused, and a look at the run that is gone
