"""The fields of runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import ask, make_run, run_row, send
from wandb_carbs.server.graphql import nodes_runs
from wandb_carbs.server.store import run_streams

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store


def fields_of_run(store: Store, fields: str) -> Any:
    """Ask for fields of the run `r`."""
    reply = ask(store, f'{{project(name: "p") {{run(name: "r") {{{fields}}}}}}}')
    assert "errors" not in reply.body
    return reply.body["data"]["project"]["run"]


def test_output_comes_in_pages(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes_runs, "_MOST_LINES", 7)
    send(store, run_streams.OUTPUT, 0, *map(str, range(10)))
    fields = "{ edges { node { number line } cursor } pageInfo { endCursor hasNextPage } totalCount }"
    seen, after = [], ""
    for _ in range(3):
        page = fields_of_run(store, f"logLines(first: 4{after}) {fields}")["logLines"]
        seen += [edge["node"]["line"] for edge in page["edges"]]
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
    assert seen == [str(number) for number in range(10)]
    assert (page["pageInfo"]["hasNextPage"], page["totalCount"]) == (False, 10)
    last = fields_of_run(store, f"logLines(last: 2) {fields}")["logLines"]
    assert [edge["node"]["number"] for edge in last["edges"]] == [8, 9]
    most = fields_of_run(store, f"logLines {fields}")["logLines"]
    assert (len(most["edges"]), most["pageInfo"]["hasNextPage"]) == (7, True)


def test_run_says_how_much_it_has_logged(store: Store) -> None:
    lines = ['{"_step": 3, "loss": 1, "inner": {"a": 5, "b": "x"}, "odd": NaN}', '{"_step": 7, "acc": 2}']
    send(store, run_streams.HISTORY, 0, *lines)
    send(store, run_streams.OUTPUT, 0, "a")
    found = fields_of_run(store, "historyLineCount eventsLineCount logLineCount historyKeys historyTail eventsTail")
    assert [found[f"{kind}LineCount"] for kind in ("history", "events", "log")] == [2, 0, 1]
    keys = found["historyKeys"]["keys"]
    assert (found["historyKeys"]["lastStep"], found["historyKeys"]["sets"]) == (7, [])
    assert {key: value.get("previousValue") for key, value in keys.items()} == {
        "_step": 7,
        "loss": 1,
        "acc": 2,
        "inner": None,
        "inner.a": 5,
        "odd": "NaN",
    }
    assert json.loads(found["historyTail"]) == ['{"_step": 7, "acc": 2}']
    assert json.loads(found["eventsTail"]) == []


@pytest.mark.parametrize("asked", ["a b.txt", "./a b.txt", "sub/../a b.txt"])
def test_file_is_found_by_the_name_that_the_user_gave_it(store: Store, asked: str) -> None:
    """`run.save("./a")` uploads it as `a`."""
    send(store, run_streams.OUTPUT, 0, "a")
    with store.transaction() as db:
        rows = [(run_row(store)["id"], name) for name in ("a b.txt", "b.txt")]
        db.executemany("INSERT INTO files (run_id, name, size, md5, updated_at) VALUES (?, ?, 1, '', 0)", rows)
    found = fields_of_run(store, f"files(names: {json.dumps([asked, None])}) {{ edges {{ node {{ name }} }} }}")
    assert [edge["node"]["name"] for edge in found["files"]["edges"]] == ["a b.txt"]


def test_nothing_is_exported_to_parquet(store: Store) -> None:
    """Clients read the history from the first live row on."""
    send(store, run_streams.HISTORY, 0, '{"_step": 3, "loss": NaN}', '{"_step": 7}')
    found = fields_of_run(store, 'parquetHistory(liveKeys: ["loss"]) { parquetUrls liveData }')["parquetHistory"]
    assert found == {"parquetUrls": [], "liveData": [{"_step": 3, "loss": "NaN"}]}


@pytest.mark.parametrize(
    ("state", "failed", "running"),
    [("running", False, True), ("crashed", True, False), ("failed", True, False), ("finished", False, False)],
)
def test_flags_follow_the_state(store: Store, state: str, failed: bool, running: bool) -> None:
    make_run(store, "r", state=state)
    assert fields_of_run(store, "state failed running stopped") == {
        "state": state,
        "failed": failed,
        "running": running,
        "stopped": False,
    }
