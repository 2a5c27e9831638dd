"""Requests that are meant to harm: each gets its answer, and the server goes on for everybody else."""

from __future__ import annotations

import base64
import gzip
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.server import app, bodies, limits
from wandb_carbs.server.limits import MAX_BODY, MEBIBYTE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.wandb_carbs.server.conftest import Client

MAX_REPLY = 10_000
HALF = "\\ud83d"  # of a surrogate pair, as JSON has it


@pytest.fixture(autouse=True)
def _nobody_waits(shared_client: Client) -> Iterator[None]:
    """Check after each test that the server still answers others, and that its pages do."""
    yield
    assert shared_client.graphql("{ viewer { entity } }").json == {"data": {"viewer": {"entity": "local"}}}
    for path in ("/", "/local/p"):
        assert shared_client.send(path).status in {200, 404}


def refused(reply: Any, *statuses: int) -> str:
    """Check that a reply is a short refusal, and return its message."""
    assert reply.status in (statuses or (400, 413)), reply.body[:500]
    assert len(reply.body) < MAX_REPLY
    assert "internal error" not in reply.error
    return str(reply.error)


FILES = 'mutation { createRunFiles(input: {projectName: "p", runName: "r", files: ["a"]}) { files { uploadUrl } } }'


def upload(client: Client, content: bytes) -> str:
    """Upload a file of a run, and return the link to read it."""
    client.stream("r", {})
    target = client.graphql(FILES).json["data"]["createRunFiles"]["files"][0]["uploadUrl"]
    assert client.send(target, content, method="PUT").status == 200
    query = '{ project(name: "p") { run(name: "r") { files { edges { node { url } } } } } }'
    return str(client.graphql(query).json["data"]["project"]["run"]["files"]["edges"][0]["node"]["url"])


def nested(depth: int, inner: str = "name") -> str:
    return '{ project(name: "p") { ' + "runs { edges { node { project { " * depth + inner + " } } } }" * depth + " } }"


@pytest.mark.parametrize(
    "query",
    [
        "{" * 60_000,
        "{ viewer " * 20_000,
        "#" * 200_000,
        "{ " + " ".join(f"a{n}: viewer {{ id }}" for n in range(3000)) + " }",
        "{ " + "viewer { id } " * 6000 + "}",
        nested(9),
        "query { viewer { ...A } } fragment A on User { teams { ...B } } fragment B on User { ...A }",
        "{ ...F0 } "
        + " ".join(
            f"fragment F{n} on Query {{ a: viewer {{ ...F{n + 1} }} b: viewer {{ ...F{n + 1} }} }}" for n in range(20)
        )
        + " fragment F20 on Query { x }",
        "{ ...nosuch }",
        "subscription { viewer { id } }",
        "{ viewer { ... @defer { id } } }",
        '{ project(name: "p") { runs { edges @stream { cursor } } } }',
        "mutation { " + " ".join(f'a{n}: upsertModel(input: {{name: "m"}}) {{ inserted }}' for n in range(100)) + " }",
        '{ project(name: "' + "x" * 90_000 + '" { name } }',
    ],
    ids=range(14),
)
def test_query_that_is_too_large_is_refused_at_once(shared_client: Client, query: str) -> None:
    begin = time.monotonic()
    refused(shared_client.graphql(query))
    assert time.monotonic() - begin < 20


def test_nested_lists_do_not_multiply_for_ever(client: Client) -> None:
    for number in range(20):
        client.upsert(name=f"r{number}")
    begin = time.monotonic()
    refused(client.graphql(nested(5)), 413)
    assert time.monotonic() - begin < 20
    assert client.graphql(nested(1)).status == 200


@pytest.mark.parametrize(
    "filters",
    [
        {"displayName": {"$regex": "(a|a)*(a|aa)+$"}},
        {"displayName": {"$regex": "(x+x+)+y"}},
        {"name": {"$in": [f"r{n}" for n in range(50_000)]}},
        {"$or": [{"name": f"r{n}"} for n in range(20_000)]},
    ],
)
def test_costly_filter_is_answered(shared_client: Client, filters: object) -> None:
    shared_client.upsert(name="long", displayName="a" * 90_000 + "b")
    begin = time.monotonic()
    query = 'query Q($f: JSONString) { project(name: "p") { runCount(filters: $f) } }'
    assert shared_client.graphql(query, f=json.dumps(filters)).json["data"]["project"]["runCount"] >= 0
    assert time.monotonic() - begin < 20


@pytest.mark.parametrize(
    "filters",
    [
        json.dumps({"name": {"$regex": "a" * 100_000}}),
        json.dumps({"name": {"$regex": "((a{1000}){1000}){1000}"}}),
        json.dumps({"name": {"$regex": "(?=a)b"}}),
        json.dumps({"config." + "a." * 50_000: 1}),
        json.dumps({"x" * 100_000: {"$nosuch": 1}}),
        json.dumps({"name": {"y" * 10: 1, "$" + "x" * 100_000: 1}}),
        '{"$or": [' * 3000 + "{}" + "]}" * 3000,
        "x" * 2_000_000,
    ],
    ids=range(8),
)
def test_filter_without_bounds_is_refused(shared_client: Client, filters: str) -> None:
    shared_client.upsert(name="r")
    query = 'query Q($f: JSONString) { project(name: "p") { runCount(filters: $f) } }'
    refused(shared_client.graphql(query, f=filters))


@pytest.mark.parametrize("path", ["/graphql", "/files/local/p/r/file_stream"])
def test_body_that_is_too_large_is_refused(shared_client: Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bounds are lower here, so that the test is fast."""
    assert MAX_BODY == 32 * MEBIBYTE
    monkeypatch.setattr(bodies, "MAX_BODY", MEBIBYTE)
    monkeypatch.setattr(bodies, "MAX_CONTAINERS", 100_000)
    whole = b'"' + b"x" * MEBIBYTE + b'"'
    assert "1 MB" in refused(shared_client.send(path, whole), 413)
    packed = gzip.compress(b" " * (8 * MEBIBYTE))
    assert "1 MB" in refused(shared_client.send(path, packed, headers={"Content-Encoding": "gzip"}), 413)
    members = gzip.compress(b" " * (MEBIBYTE // 2)) * 16
    assert "1 MB" in refused(shared_client.send(path, members, headers={"Content-Encoding": "gzip"}), 413)
    refused(shared_client.send(path, b"[" + b"[]," * (MEBIBYTE // 4) + b"[]]"), 413)
    refused(shared_client.send(path, gzip.compress(b"{}")[:-4], headers={"Content-Encoding": "gzip"}), 400)


@pytest.mark.parametrize(
    "config",
    [
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{n}: &{n} [{', '.join(['*' + p] * 10)}]\n" for n, p in zip("bcdefghij", "abcdefghi", strict=True))
        + "method: random\nparameters: {x: {values: *j}}",
        "method: random\nparameters: {x: {values: &v [1, *v]}}",
        "method: random\nparameters: &p {x: *p}",
        "method: random\nparameters: {x: {values: [!!binary aGVsbG8=]}}",
        "method: random\nparameters: {x: {values: !!set {a, b}}}",
        "method: random\nparameters: {x: {distribution: q_uniform, min: 0, max: 1, q: 1.0e-300}}",
        "method: grid\nparameters: {x: {distribution: q_uniform, min: 0, max: 1, q: 1.0e-300}}",
        "method: random\nrun_cap: 3000000000\nparameters: {x: {value: 1}}",
        "[" * 100_000,
        "- " * 50_000,
        "x: " + "y" * 2_000_000,
        "method: random\nparameters: {x: {value: " + "1" * 5000 + "}}",
        "method: random\nparameters: {x: {value: !!python/object/apply:os.system [ls]}}",
    ],
    ids=range(13),
)
def test_hostile_sweep_is_refused(shared_client: Client, config: str) -> None:
    begin = time.monotonic()
    refused(shared_client.sweep(config))
    assert time.monotonic() - begin < 20


def test_dates_in_a_sweep_are_texts(shared_client: Client) -> None:
    reply = shared_client.sweep("method: grid\nparameters: {day: {values: [2024-02-29, 2024-03-01 10:00:00]}}")
    assert reply.status == 200
    agent = shared_client.graphql(
        "mutation A($s: String!) { createAgent(input: {sweep: $s}) { agent { id } } }",
        s=reply.json["data"]["upsertSweep"]["sweep"]["name"],
    ).json["data"]["createAgent"]["agent"]["id"]
    beat = shared_client.graphql(
        'mutation B($i: ID!) { agentHeartbeat(input: {id: $i, runState: "{}"}) { commands } }', i=agent
    )
    (command,) = json.loads(beat.json["data"]["agentHeartbeat"]["commands"])
    assert command["args"]["day"]["value"] == "2024-02-29"


@pytest.mark.parametrize(
    "values",
    [
        {"config": f'{{"a": {{"value": "{HALF}"}}, "{HALF}": {{"value": 1}}}}'},
        {"summaryMetrics": f'{{"carbs.state": "{HALF}", "loss": "{HALF}", "{HALF}": 1}}'},
        {"displayName": "\ud83d", "notes": "\udc00", "tags": ["\ud83d"]},
        {"summaryMetrics": '{"carbs.state": {"a": 1}, "carbs.cost": 1e999, "carbs.objective": [NaN]}'},
        {"summaryMetrics": '{"carbs.suggestion": 3, "x": ' + "1" * 4000 + "}"},
        {"config": '{"_wandb": 3, "x": {"value": {"deep": ' + "[" * 80 + "]" * 80 + "}}}"},
        {"displayName": "\0", "summaryMetrics": '{"\\u0000": "\\u0000"}'},
    ],
    ids=range(7),
)
def test_whatever_was_stored_pages_and_queries_answer(shared_client: Client, values: dict[str, Any]) -> None:
    made = shared_client.upsert(name="odd", **values)
    assert made.status == 200
    lines = [f'{{"_step": 0, "loss": "{HALF}", "{HALF}": NaN}}']
    files = {
        "wandb-history.jsonl": {"offset": 0, "content": lines},
        "wandb-events.jsonl": {"offset": 0, "content": lines},
        "output.log": {"offset": 0, "content": ["\ud83d", "\0"]},
    }
    assert shared_client.stream("odd", {"files": files}).status == 200
    data = "/-/data/local/p/runs/odd"
    pages = ("/", "/local", "/local/p", "/local/p?sort=loss", "/local/p/runs/odd", "/local/p/compare?run=odd")
    for path in (*pages, f"{data}/history", f"{data}/system", f"{data}/console"):
        assert shared_client.send(path).status == 200
    query = """query Q($o: String, $f: JSONString, $s: [JSONString!]!) { project(name: "p") {
        runs(order: $o, filters: $f) { edges { node {
            name displayName config summaryMetrics systemMetrics notes tags history events historyKeys historyTail
            wandbConfig sampledHistory(specs: $s) } } } } }"""
    half = json.loads(f'"{HALF}"')
    for name in ("loss", "carbs.state", half):
        reply = shared_client.graphql(
            query,
            o=f"-summary_metrics.{name}",
            f=json.dumps({f"summary_metrics.{name}": {"$ne": half}}),
            s=["{}"],
        )
        assert reply.status == 200, reply.body
        reply.body.decode()


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query Q($x: [Int]) { project(name: $x) { name } }", {"x": [1]}),
        ("query Q($x: JSON) { project(name: $x) { name } }", {"x": {"a": 1}}),
        ('query Q($x: JSON) { project(name: "p") { run(name: $x) { name } } }', {"x": ["r"]}),
        ('query Q($x: String) { project(name: "p") { runs(first: $x) { edges { cursor } } } }', {"x": "1"}),
        ('query Q($x: JSON) { project(name: "p") { runs(order: $x) { edges { cursor } } } }', {"x": 3}),
        ("mutation M($x: JSON) { upsertBucket(input: {name: $x}) { inserted } }", {"x": {"a": 1}}),
        ("mutation M($x: JSON) { upsertBucket(input: $x) { inserted } }", {"x": 3}),
        ("mutation M($x: JSON) { upsertBucket(input: $x) { inserted } }", {"x": {"name": ["a"], "config": 3}}),
        ("mutation M($x: JSON) { stopRun(input: {id: $x}) { success } }", {"x": [[]]}),
    ],
    ids=range(9),
)
def test_variables_of_wrong_types_are_refused(shared_client: Client, query: str, variables: dict[str, Any]) -> None:
    shared_client.upsert(name="r")
    refused(shared_client.graphql(query, **variables), 400)


@pytest.mark.parametrize(
    "body",
    [
        {"files": {"wandb-history.jsonl": {"offset": 2**31, "content": ["{}"]}}},
        {"files": {"output.log": {"offset": 2**31 - 1, "content": ["a", "b"]}}},
        {"files": {"wandb-summary.json": {"offset": 0, "content": ['{"a": ' + "[" * 500 + "]" * 500 + "}"]}}},
        {"files": {"wandb-history.jsonl": {"offset": 0, "content": ['{"a": ' + "1" * 5000 + "}"]}}},
        {"files": {}, "exitcode": 2**40},
    ],
    ids=range(5),
)
def test_stream_beyond_bounds_is_refused(shared_client: Client, body: object) -> None:
    refused(shared_client.stream("r", body), 400)
    reply = shared_client.graphql('{ project(name: "p") { run(name: "r") { historyLineCount logLineCount } } }')
    assert "errors" not in reply.json


def test_file_addresses_that_are_no_such(shared_client: Client) -> None:
    for run in ("9" * 5000, "9" * 30, "-1", "0x1", "1e3", "\u0661"):
        from urllib.parse import quote

        assert shared_client.send(f"/storage/{quote(run)}/{'0' * 32}/a").status == 403


def test_link_to_read_does_not_write(client: Client) -> None:
    client.stream("r", {})
    targets = client.graphql(
        """mutation { createRunFiles(input: {projectName: "p", runName: "r", files: ["a.html"]}) {
            files { uploadUrl } } }"""
    )
    upload = targets.json["data"]["createRunFiles"]["files"][0]["uploadUrl"]
    assert client.send(upload, b"first", method="PUT", has_key=False).status == 200
    query = '{ project(name: "p") { run(name: "r") { files { edges { node { url directUrl } } } } } }'
    node = client.graphql(query).json["data"]["project"]["run"]["files"]["edges"][0]["node"]
    for link in (node["url"], node["directUrl"]):
        assert refused(client.send(link, b"second", method="PUT"), 403)
        reply = client.send(link, has_key=False)
        assert reply.body == b"first"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in reply.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/graphql", "/files/local/p/foreign/file_stream"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_what_another_site_makes_a_browser_send_is_refused(
    shared_client: Client, path: str, headers: dict[str, str], status: int
) -> None:
    body = json.dumps({"query": 'mutation { upsertBucket(input: {name: "foreign", modelName: "q"}) { inserted } }'})
    refused(shared_client.send(path, body.encode(), headers=headers), status)
    assert shared_client.send("/local/q").status == 404


def test_description_of_the_schema_does_not_multiply_for_ever(
    shared_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The executor resolves it by functions of its own, which know no budget."""
    depth = 10
    query = "{ __schema { types { fields { " + "type { fields { " * depth + "name" + " } }" * depth + " } } } }"
    monkeypatch.setattr(limits, "_MAX_VALUES", 1_000)
    one = query.replace("__schema { types", '__type(name: "Run")', 1)[:-2]
    for described in (query, one):
        assert "values" in refused(shared_client.graphql(described), 413)


def test_many_ranges_of_a_file_are_answered_by_the_whole_of_it(client: Client) -> None:
    """A request of a few kilobytes must not be answered by a thousand files."""
    link = upload(client, b"0123456789")
    for ranges in ("bytes=" + "0-," * 1000 + "0-", "bytes=0-1,3-4", "bytes=" + "0" * 4000 + "-1", "bytes=,,,,,,,,,,"):
        reply = client.send(link, headers={"Range": ranges})
        assert (reply.status, reply.body) in {(200, b"0123456789"), (400, reply.body)}
        assert len(reply.body) < 1000
    reply = client.send(link, headers={"Range": "bytes=2-4"})
    assert (reply.status, reply.body) == (206, b"234")


def test_upload_has_a_limit_and_leaves_nothing_behind(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = upload(client, b"0123456789")
    monkeypatch.setattr(app, "MAX_UPLOAD", 1_000_000)
    write = client.graphql(FILES).json["data"]["createRunFiles"]["files"][0]["uploadUrl"]
    refused(client.send(write, b"x" * 1_000_001, method="PUT"), 413)
    assert client.send(link).body == b"0123456789"
    assert list((tmp_path / "server" / "uploads").iterdir()) == []


def test_many_files_are_deleted_at_once(client: Client) -> None:
    """Each of them in a transaction of its own would keep the disk busy for hours."""
    upload(client, b"0123456789")
    ids = [base64.b64encode(f"File:1:{name}".encode()).decode() for name in ["a", *range(20_000)]]
    query = "mutation D($files: [ID!]!) { deleteFiles(input: {files: $files}) { success } }"
    begin = time.monotonic()
    assert client.graphql(query, files=ids).json["data"]["deleteFiles"]["success"] is True
    assert time.monotonic() - begin < 20
    files = client.graphql('{ project(name: "p") { run(name: "r") { fileCount } } }')
    assert files.json["data"]["project"]["run"]["fileCount"] == 0
    refused(client.graphql(query, files=["nosuch"]), 404)


def test_own_origin_is_taken(shared_client: Client) -> None:
    headers = {"Origin": shared_client.server.url, "Sec-Fetch-Site": "same-origin"}
    assert shared_client.send("/graphql", b'{"query": "{ viewer { id } }"}', headers=headers).status == 200


def test_run_with_too_many_tags_or_too_long_a_name_is_refused(shared_client: Client) -> None:
    refused(shared_client.upsert(name="r", tags=["t"] * 2000), 413)
    refused(shared_client.upsert(name="r", displayName="x" * 1_000_000), 413)


def test_every_line_is_kept_however_many_keys_it_has(client: Client) -> None:
    lines = [json.dumps({f"key_{row}_{place}": 1 for place in range(1000)}) for row in range(12)]
    assert client.stream("r", {"files": {"wandb-history.jsonl": {"offset": 0, "content": lines}}}).status == 200
    run = client.graphql('{ project(name: "p") { run(name: "r") { history historyKeys } } }').json["data"]["project"][
        "run"
    ]
    assert run["history"] == lines
    assert len(run["historyKeys"]["keys"]) == 10_000
