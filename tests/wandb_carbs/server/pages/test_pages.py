"""The pages as a browser gets them."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from site_of_runs import CONFIG, DEFINITION, EVIL, Site
from wandb_carbs.server.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with LocalServer(tmp_path_factory.mktemp("server")) as server:
        yield Site(server)


@pytest.mark.parametrize(
    "path",
    ["/", "/local", "/local/p", "/local/p/sweeps/{sweep}", "/local/p/runs/r0", "/local/p/compare?run=r0&run=r1"],
)
def test_pages_hold_no_markup_of_users(site: Site, path: str) -> None:
    page, headers = site.get(path.format(sweep=site.sweep))
    assert "<script>alert" not in page
    assert "<i>" not in page
    # Programs come from files of this server only, and nothing comes from elsewhere.
    assert re.findall(r"<script(?! src=\"/-/static/[a-z.]+\" defer></script>)", page) == []
    assert not re.search(r"""(?:src|href)=["'](?!/|\?|#)""", page)
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy


def test_static_files_that_pages_name_are_there(site: Site) -> None:
    pages = [site.get(path)[0] for path in ("/", f"/local/p/sweeps/{site.sweep}", "/local/p/runs/r0")]
    names = {name for page in pages for name in re.findall(r'"(/-/static/[^"]+)"', page)}
    assert len(names) >= 5
    for name in names:
        text, headers = site.get(name)
        assert headers["content-type"].startswith(("text/javascript", "text/css", "image/svg+xml"))
        assert text


@pytest.mark.parametrize("name", ["nosuch.js", "..%2frender.py", "live.py", "%2e%2e"])
def test_other_static_files_are_not(site: Site, name: str) -> None:
    site.get(f"/-/static/{name}", 404)


def test_sweep_shows_its_best_run_and_space(site: Site) -> None:
    page, _ = site.get(f"/local/p/sweeps/{site.sweep}")
    assert "&lt;i&gt;sweep&lt;/i&gt;" in page
    assert "3 observed, 2 on the frontier" in page
    assert "1 running, 1 waiting" in page
    assert f"wandb-carbs agent local/p/{site.sweep}" in page
    assert "1 to 9" in page


def test_figures_of_a_sweep(site: Site) -> None:
    found = site.data(f"sweeps/{site.sweep}")
    stairs, runs, frontier = found["frontier"]["data"]
    assert (stairs["x"], stairs["y"]) == ([1.0, 10.0], [2.0, 1.0])
    assert (runs["x"], runs["y"]) == ([5.0], [3.0])
    assert (frontier["x"], frontier["y"], frontier["customdata"]) == ([1.0, 10.0], [2.0, 1.0], ["r1", "r0"])
    assert "<script" not in json.dumps(found)
    assert found["progress"]["data"][0]["x"] == [10.0, 16.0]
    assert found["progress"]["data"][0]["y"] == [1.0, 1.0]
    assert {name for trace in found["parallel"]["data"] for name in trace["customdata"]} == {"r0", "r1", "r2"}
    marked = site.data(f"sweeps/{site.sweep}?run=r2")
    assert list(marked) == ["frontier"]
    assert marked["frontier"]["data"][-1]["x"] == [5.0]


def test_charts_of_a_run(site: Site) -> None:
    found = site.data("runs/r0/history")["series"]
    assert set(found) == {"loss", "a/b", EVIL}
    assert found["loss"] == {
        "step": [0, 1, 2, 3, 4],
        "time": [0, 0.5, 1, 1.5, 2],
        "value": [9, 8, 7, 6, 5],
        "points": 5,
    }


def test_one_metric_of_all_runs(site: Site) -> None:
    found = site.data(f"sweeps/{site.sweep}/metric?key=loss")
    assert [run["name"] for run in found["runs"]] == ["alive", "r2", "r1", "r0"]
    assert found["left_out"] == 0


def test_output_of_a_run(site: Site) -> None:
    found = site.data("runs/r0/console")
    assert found["total"] == 2
    assert found["lines"][0] == {
        "number": 0,
        "timestamp": "2026-11-27T00:00:00.5",
        "level": "error",
        "label": None,
        "line": EVIL,
    }


def test_values_that_no_run_has_had_are_not_shown(site: Site) -> None:
    """The pages show the suggestion, and nothing of what the server drew."""
    run, _ = site.get("/local/p/runs/alive")
    assert "What the server drew for it was not run" in run
    for path in ("/local/p/runs/alive", "/local/p", f"/local/p/sweeps/{site.sweep}"):
        assert "123457" not in site.get(path)[0]
    shown, _ = site.get("/local/p/runs/r2")
    assert "<dt>x</dt><dd>6</dd>" in shown


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


def test_frontier_at_a_limit_is_said(site: Site) -> None:
    values = {"config": json.dumps(CONFIG), "projectName": "q", "description": json.dumps(DEFINITION)}
    made = site.graphql("mutation M($i: UpsertSweepInput!) { upsertSweep(input: $i) { sweep { name } } }", i=values)
    sweep = made["upsertSweep"]["sweep"]["name"]
    for place, x in enumerate([9, 9, 9, 4, 9, 5]):
        summary = {"carbs.state": "success", "carbs.objective": 9 - place, "carbs.cost": place + 1}
        summary["carbs.suggestion"] = json.dumps({"x": x})
        run = {"name": f"e{place}", "modelName": "q", "sweep": sweep, "summaryMetrics": json.dumps(summary)}
        site.graphql("mutation M($i: UpsertBucketInput!) { upsertBucket(input: $i) { inserted } }", i=run)
    page, _ = site.get(f"/local/q/sweeps/{sweep}")
    assert "4 of 6 frontier runs are on the upper edge of x (9): widen it if you can" in page
    assert "lower edge" not in page


def test_html_of_a_run_is_shown_in_a_sandbox(site: Site) -> None:
    name = "media/html/a b.html"
    made = site.graphql(
        """mutation M($f: [String!]!) { createRunFiles(input: {projectName: "p", runName: "r1", files: $f}) {
           files { uploadUrl } } }""",
        f=[name, "secret.html"],
    )
    for target in made["createRunFiles"]["files"]:
        asked = urllib.request.Request(target["uploadUrl"], b"<script>document.title = 1</script>", method="PUT")
        urllib.request.urlopen(asked, timeout=20).close()
    logged = {"_step": 9, "page": {"_type": "html-file", "path": name}}
    lines = {"wandb-history.jsonl": {"offset": 5, "content": [json.dumps(logged)]}}
    site.post("/files/local/p/r1/file_stream", {"files": lines, "complete": True})
    page, _ = site.get("/local/p/runs/r1")
    (address,) = re.findall(r'<iframe sandbox="allow-scripts"[^>]* src="([^"]+)"', page)
    text, headers = site.get(address)
    assert text == "<script>document.title = 1</script>"
    assert headers["content-type"].startswith("text/html")
    assert headers["content-security-policy"].startswith("sandbox allow-scripts; default-src 'none';")
    site.get("/-/frame/local/p/r1/secret.html", 404)
    site.get("/-/frame/local/p/nosuch/media/html/x.html", 404)


def test_compared_runs(site: Site) -> None:
    page, _ = site.get("/local/p/compare?run=r0&run=r1")
    assert page.count("/-/data/local/p/runs/") == 2
    site.get("/local/p/compare", 400)
    site.get("/local/p/compare?run=nosuch", 404)


def test_addresses_below_the_prefix_of_a_proxy(site: Site) -> None:
    for path in ("/", f"/local/p/sweeps/{site.sweep}", "/local/p/runs/r0", "/local/p/compare?run=r0"):
        asked = urllib.request.Request(site.server.url + path, headers={"X-Forwarded-Prefix": "/a/b"})
        with urllib.request.urlopen(asked, timeout=20) as reply:
            page = reply.read().decode()
        found = re.findall(r'(?:href|src|action|data-(?!root)[a-z]+)="(/[^"]*)"', page)
        assert found
        assert [address for address in found if not address.startswith("/a/b/")] == []
        assert 'data-root="/a/b"' in page
    for odd in ("//evil", "/<i>", "evil", "/a b"):
        asked = urllib.request.Request(site.server.url + "/", headers={"X-Forwarded-Prefix": odd})
        with urllib.request.urlopen(asked, timeout=20) as reply:
            assert 'data-root=""' in reply.read().decode()


@pytest.mark.parametrize("path", ["/nosuch", "/local/nosuch", "/local/nosuch/sweeps/x", "/local/nosuch/runs/x"])
def test_missing_page_says_so(site: Site, path: str) -> None:
    assert "there is no" in site.get(path, 404)[0]


def test_alerts_are_shown(site: Site) -> None:
    site.graphql(
        """mutation M($t: String!) { notifyScriptableRunAlert(
           input: {projectName: "p", runName: "r1", title: $t, text: "text", severity: WARN}) { success } }""",
        t=EVIL,
    )
    page, _ = site.get("/local/p/runs/r1")
    assert "Alerts" in page
    assert "<script>alert" not in page
