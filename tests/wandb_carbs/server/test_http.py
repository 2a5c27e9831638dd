"""Requests as they come over the wire, well-formed and not."""

from __future__ import annotations

import base64
import gzip
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from wandb_carbs.server.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

CONFIG = "{method: random, name: <i>sweep</i>, metric: {name: loss, goal: minimize}, parameters: {x: {min: 0, max: 9}}}"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        return json.loads(self.body, parse_constant=refuse)


def request(
    server: LocalServer, path: str, data: bytes | None = None, *, key: str | None = None, **options: str
) -> Reply:
    headers = {name.replace("_", "-"): value for name, value in options.items() if name != "method"}
    if data is not None:
        headers.setdefault("Content-Type", "application/json")
    if key is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
    address = path if path.startswith("http") else server.url + path
    asked = urllib.request.Request(address, data, headers, method=options.get("method"))
    try:
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return Reply(reply.status, reply.read(), dict(reply.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read(), dict(error.headers))


def graphql(server: LocalServer, query: str, **variables: Any) -> Reply:
    body = {"query": query, "variables": variables, "operationName": ""}
    return request(server, "/graphql", json.dumps(body).encode(), key=server.api_key)


def stream(server: LocalServer, run: str, body: Any) -> Reply:
    return request(server, f"/files/local/p/{run}/file_stream", json.dumps(body).encode(), key=server.api_key)


def make_sweep(server: LocalServer) -> str:
    reply = graphql(
        server,
        'mutation M($c: String) { upsertSweep(input: {config: $c, projectName: "p"}) { sweep { name } } }',
        c=CONFIG,
    )
    name = reply.json["data"]["upsertSweep"]["sweep"]["name"]
    assert isinstance(name, str)
    return name


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """Serve the tests that leave nothing behind."""
    with LocalServer(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.mark.parametrize("key", [None, "", "x" * 40, "schlüssel"])
@pytest.mark.parametrize("path", ["/graphql", "/files/local/p/r/file_stream"])
def test_wrong_key_is_refused(shared_server: LocalServer, key: str | None, path: str) -> None:
    reply = request(shared_server, path, b"{}", key=key)
    assert reply.status == 401
    assert "WANDB_API_KEY" in reply.json["errors"][0]["message"]


def test_unknown_fields_are_left_out(shared_server: LocalServer) -> None:
    reply = graphql(shared_server, "query A { viewer { entity nosuch { deeper } } nosuch }")
    assert (reply.status, reply.json) == (200, {"data": {"viewer": {"entity": "local"}}})


def test_old_sdks_find_the_types_they_probe(shared_server: LocalServer) -> None:
    reply = graphql(
        shared_server, '{ a: __type(name: "ServerSettings") { fields { name } } serverInfo { features { name } } }'
    )
    assert reply.json["data"]["a"] == {"fields": [{"name": "serverMessages"}]}
    assert {"name": "SWEEPS_LOCAL_SCHEDULER"} in reply.json["data"]["serverInfo"]["features"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b"[" * 5000,
        b"\xff\xfe",
        b'{"query": 3}',
        b'{"query": "{"}',
        b'{"query": ""}',
        b'{"query": "{ viewer { id } }", "variables": [1]}',
        b'{"query": "{ viewer { id } }", "operationName": 3}',
        b'{"query": "{ viewer { id } }", "operationName": "nosuch"}',
        b'{"query": "query A($x: NoSuch) { viewer { id } }"}',
        b'{"query": "query A($x: Int!) { viewer { id } }", "variables": {"x": "many"}}',
        b'{"query": "query A($x: JSONString!) { viewer { id } }", "variables": {"x": {}}}',
        b'{"query": "query A($x: Int64!) { viewer { id } }", "variables": {"x": 99999999999999999999}}',
    ],
)
def test_malformed_graphql_is_refused(shared_server: LocalServer, body: bytes) -> None:
    reply = request(shared_server, "/graphql", body, key=shared_server.api_key)
    assert reply.status == 400
    assert reply.json["errors"][0]["message"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ('mutation { upsertBucket(input: {id: "nosuch"}) { bucket { id } } }', 404),
        ('mutation { upsertBucket(input: {name: "a/b"}) { bucket { id } } }', 400),
        ('mutation { upsertBucket(input: {name: "r", config: "["}) { bucket { id } } }', 400),
        ('mutation { upsertSweep(input: {config: "method: magic"}) { sweep { name } } }', 400),
        ('mutation { createAgent(input: {host: "h", sweep: "nosuch"}) { agent { id } } }', 404),
        ('mutation { agentHeartbeat(input: {id: "nosuch", runState: "{}"}) { commands } }', 404),
        ('mutation { createRunFiles(input: {runName: "nosuch", files: []}) { runID } }', 404),
        ('mutation { stopRun(input: {id: "nosuch"}) { success } }', 404),
        ('mutation { deleteRun(input: {id: "nosuch"}) { clientMutationId } }', 404),
        (
            'mutation { createArtifact(input: {runName: "nosuch", artifactCollectionName: "a"}) { artifact { id } } }',
            404,
        ),
        ('mutation { createArtifact(input: {runName: "nosuch"}) { artifact { id } } }', 400),
        ('mutation { commitArtifact(input: {artifactID: "nosuch"}) { artifact { id } } }', 404),
        ('mutation { createArtifactManifest(input: {artifactID: "x", type: PATCH}) { artifactManifest { id } } }', 400),
        ('{ project(name: "p") { runs(filters: "{\\"a\\": {\\"$what\\": 1}}") { edges { cursor } } } }', 400),
        ('{ project(name: "p") { runs(filters: "[") { edges { cursor } } } }', 400),
        ('{ project(name: "p") { runs(after: "?") { edges { cursor } } } }', 400),
        ('{ project(name: "p") { runs(first: -1) { edges { cursor } } } }', 400),
        ('{ project(name: "p") { runCount(filters: "3") } }', 400),
    ],
)
def test_refusal_has_a_status_and_a_message(shared_server: LocalServer, query: str, status: int) -> None:
    make_sweep(shared_server)
    reply = graphql(shared_server, query)
    assert reply.status == status
    assert reply.json["errors"][0]["message"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"files": 3}', b'{"files": {"f": {"offset": "x"}}}'])
def test_malformed_stream_is_refused(shared_server: LocalServer, body: bytes) -> None:
    reply = request(shared_server, "/files/local/p/r/file_stream", body, key=shared_server.api_key)
    assert reply.status == 400
    assert reply.json["errors"][0]["message"]


def test_unknown_addresses_get_json(shared_server: LocalServer) -> None:
    assert "error" in request(shared_server, "/sdk/otel/v1/metrics", b"").json
    assert request(shared_server, "/sdk/otel/v1/metrics", b"").status in {404, 405}
    assert request(shared_server, "/graphql").status in {404, 405}
    assert request(shared_server, "/a/b/c/d/e").status == 404


def test_gzipped_stream(local_server: LocalServer) -> None:
    body = gzip.compress(json.dumps({"complete": True, "exitcode": 0}).encode())
    path = "/files/local/p/r/file_stream"
    key = local_server.api_key
    assert request(local_server, path, body, key=key, Content_Encoding="gzip").status == 200
    assert request(local_server, path, b"no", key=key, Content_Encoding="gzip").status == 400
    reply = graphql(local_server, '{ project(name: "p") { run(name: "r") { state exitcode } } }')
    assert reply.json["data"]["project"]["run"] == {"state": "finished", "exitcode": 0}


def test_numbers_that_json_lacks_never_leave_bare(local_server: LocalServer) -> None:
    files = {
        "wandb-summary.json": {"offset": 0, "content": ['{"loss": NaN, "list": [Infinity]}']},
        "wandb-history.jsonl": {"offset": 0, "content": ['{"_step": 0, "loss": -Infinity}']},
    }
    assert stream(local_server, "r", {"files": files}).json == {}
    query = """query Q($s: [JSONString!]!) { project(name: "p") { run(name: "r") {
        summaryMetrics historyKeys history sampledHistory(specs: $s) } } }"""
    run = graphql(local_server, query, s=['{"keys": ["loss"]}']).json["data"]["project"]["run"]
    assert run["summaryMetrics"] == '{"loss": NaN, "list": [Infinity]}'
    assert run["history"] == ['{"_step": 0, "loss": -Infinity}']
    assert run["sampledHistory"] == [[{"loss": "-Infinity"}]]
    assert run["historyKeys"]["lastStep"] == 0


@pytest.mark.parametrize("loss", ["1" + "0" * 400, "-1" + "0" * 400, "false", "NaN", "-Infinity", '"0"', "[0]"])
def test_best_objective_leaves_out_what_is_no_finite_number(local_server: LocalServer, loss: str) -> None:
    sweep = make_sweep(local_server)
    for run, summary in (("good", '{"loss": 2}'), ("odd", f'{{"loss": {loss}}}')):
        graphql(
            local_server,
            """mutation M($n: String, $w: String, $s: JSONString) {
                upsertBucket(input: {name: $n, modelName: "p", sweep: $w, summaryMetrics: $s}) { bucket { id } } }""",
            n=run,
            w=sweep,
            s=summary,
        )
        stream(local_server, run, {"complete": True, "exitcode": 0})
    reply = graphql(
        local_server, 'query Q($n: String!) { project(name: "p") { sweep(sweepName: $n) { bestLoss } } }', n=sweep
    )
    assert reply.json == {"data": {"project": {"sweep": {"bestLoss": 2.0}}}}


def test_artifact_is_committed_once_its_manifest_is_there(local_server: LocalServer) -> None:
    stream(local_server, "r", {})
    make = """mutation { createArtifact(input: {projectName: "p", runName: "r", artifactCollectionName: "a",
        clientID: "c"}) { artifact { id state } } }"""
    made = graphql(local_server, make).json["data"]["createArtifact"]["artifact"]
    assert made["state"] == "PENDING"
    assert graphql(local_server, make).json["data"]["createArtifact"]["artifact"] == made
    commit = "mutation M($i: ID!) { commitArtifact(input: {artifactID: $i}) { artifact { state versionIndex } } }"
    early = graphql(local_server, commit, i=made["id"])
    assert early.status == 400
    assert "has not arrived" in early.json["errors"][0]["message"]
    manifest = """mutation M($i: ID!) { createArtifactManifest(input: {artifactID: $i, type: FULL}) {
        artifactManifest { file { uploadUrl } } } }"""
    put = graphql(local_server, manifest, i=made["id"]).json["data"]["createArtifactManifest"]["artifactManifest"]
    assert request(local_server, put["file"]["uploadUrl"], b"{}", method="PUT").status == 200
    for _ in range(2):
        committed = graphql(local_server, commit, i=made["id"]).json["data"]["commitArtifact"]["artifact"]
        assert committed == {"state": "COMMITTED", "versionIndex": 0}


def test_half_a_surrogate_pair_does_no_harm(local_server: LocalServer) -> None:
    assert stream(local_server, "r", {"files": {"output.log": {"offset": 0, "content": ["\ud800"]}}}).status == 200
    assert graphql(local_server, "{ viewer { id } }", x="\udfff").status == 200


def test_files_go_in_and_come_out(local_server: LocalServer) -> None:
    stream(local_server, "r", {})
    make = """mutation M($f: [String!]!) { createRunFiles(input: {projectName: "p", runName: "r", files: $f}) {
        files { uploadUrl } } }"""
    names = ["media/a b.png", "../../evil", "x" * 300]
    targets = graphql(local_server, make, f=names).json["data"]["createRunFiles"]["files"]
    for target in targets:
        assert request(local_server, target["uploadUrl"], b"data", method="PUT").status == 200
    query = (
        '{ project(name: "p") { run(name: "r") { fileCount files { edges { node { name sizeBytes directUrl } } } } } }'
    )
    run = graphql(local_server, query).json["data"]["project"]["run"]
    nodes = [edge["node"] for edge in run["files"]["edges"]]
    assert {node["name"] for node in nodes} == set(names)
    for node in nodes:
        assert node["sizeBytes"] == 4
        assert request(local_server, node["directUrl"]).body == b"data"


def test_forged_file_address_is_refused(local_server: LocalServer) -> None:
    stream(local_server, "r", {})
    for method in ("PUT", "GET"):
        data = b"x" if method == "PUT" else None
        assert request(local_server, f"/storage/1/{'0' * 32}/a", data, method=method).status == 403


def test_missing_page_is_told(shared_server: LocalServer) -> None:
    for path in ("/local/nosuch", "/local/nosuch/sweeps/x", "/local/nosuch/runs/x"):
        reply = request(shared_server, path)
        assert reply.status == 404
        assert "there is no" in reply.body.decode()


def test_page_under_a_foreign_name_needs_the_key(shared_server: LocalServer) -> None:
    assert request(shared_server, "/", Host="evil.example").status == 401
    assert request(shared_server, "/", Host="evil.example", key=shared_server.api_key).status == 200
