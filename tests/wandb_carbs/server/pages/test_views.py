"""The pages of entities, projects, sweeps and runs."""

from __future__ import annotations

import json
import re

import pytest

from site_of_runs import CONFIG, DEFINITION, EVIL, Site


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


def test_sweep_shows_its_best_run_and_space(site: Site) -> None:
    page, _ = site.get(f"/local/p/sweeps/{site.sweep}")
    assert "&lt;i&gt;sweep&lt;/i&gt;" in page
    assert "3 observed, 2 on the frontier" in page
    assert "1 running, 1 waiting" in page
    assert f"wandb-carbs agent local/p/{site.sweep}" in page
    assert "1 to 9" in page


def test_values_that_no_run_has_had_are_not_shown(site: Site) -> None:
    """The pages show the suggestion, and nothing of what the server drew."""
    run, _ = site.get("/local/p/runs/alive")
    assert "What the server drew for it was not run" in run
    for path in ("/local/p/runs/alive", "/local/p", f"/local/p/sweeps/{site.sweep}"):
        assert "123457" not in site.get(path)[0]
    shown, _ = site.get("/local/p/runs/r2")
    assert "<dt>x</dt><dd>6</dd>" in shown


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
    # Their programs have not ended in W&B, but their outcomes are known.
    assert "6 runs: 0 running, 0 waiting, 6 observed" in page
    assert "4 of 6 frontier runs are on the upper edge of x (9): widen it if you can" in page
    assert "lower edge" not in page


def test_runs_of_wandbs_own_agent_are_counted_apart(site: Site) -> None:
    """As `status` counts them: a search skips them."""
    values = {"config": json.dumps(CONFIG), "projectName": "own"}
    made = site.graphql("mutation M($i: UpsertSweepInput!) { upsertSweep(input: $i) { sweep { name } } }", i=values)
    sweep = made["upsertSweep"]["sweep"]["name"]
    recorded = {"carbs.state": "success", "carbs.objective": 1.0, "carbs.cost": 3.0, "carbs.suggestion": '{"x": 1}'}
    for place, summary in enumerate(({"loss": 3, "_runtime": 2}, {"loss": 2, "_runtime": 4}, recorded)):
        run = {"name": f"o{place}", "modelName": "own", "sweep": sweep, "summaryMetrics": json.dumps(summary)}
        site.graphql("mutation M($i: UpsertBucketInput!) { upsertBucket(input: $i) { inserted } }", i=run)
        site.post(f"/files/local/own/o{place}/file_stream", {"complete": True, "exitcode": 0})
    page, _ = site.get(f"/local/own/sweeps/{sweep}")
    assert "3 runs: 0 running, 0 waiting, 1 observed, 2 without a suggestion, 2 on the frontier" in page
    assert "a search skips them" in page
    assert "a search skips them" not in site.get(f"/local/p/sweeps/{site.sweep}")[0]


def test_compared_runs(site: Site) -> None:
    page, _ = site.get("/local/p/compare?run=r0&run=r1")
    assert page.count("/-/data/local/p/runs/") == 2
    site.get("/local/p/compare", 400)
    site.get("/local/p/compare?run=nosuch", 404)


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
