"""The fields of runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from stored import make_run
from wandb_carbs.server.graphql import nodes_runs
from wandb_carbs.server.graphql.execute import execute, prepare
from wandb_carbs.server.store import run_streams
from wandb_carbs.server.store.files import RunFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wandb_carbs.server.store.database import Store


@pytest.fixture
def ask(store: Store, tmp_path: Path) -> Callable[..., Any]:
    """Ask for fields of the run `r`."""
    files = RunFiles(store, tmp_path / "files", lambda: "secret")

    def ask(fields: str) -> Any:
        query = f'{{project(name: "p") {{run(name: "r") {{{fields}}}}}}}'
        reply = execute(store, files, "http://here", prepare({"query": query}))
        assert "errors" not in reply.body
        return reply.body["data"]["project"]["run"]

    return ask


def log(store: Store, stream: str, *lines: str) -> None:
    run_streams.stream(store, "local", "p", "r", {"files": {stream: {"offset": 0, "content": list(lines)}}})


def test_output_comes_in_pages(store: Store, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes_runs, "_MOST_LINES", 7)
    log(store, run_streams.OUTPUT, *map(str, range(10)))
    fields = "edges {{ node {{ number line }} cursor }} pageInfo {{ endCursor hasNextPage }} totalCount"
    seen, after = [], ""
    for _ in range(3):
        page = ask(f"logLines(first: 4{after}) {{ {fields.format()} }}")["logLines"]
        seen += [edge["node"]["line"] for edge in page["edges"]]
        after = f', after: "{page["pageInfo"]["endCursor"]}"'
    assert seen == [str(number) for number in range(10)]
    assert (page["pageInfo"]["hasNextPage"], page["totalCount"]) == (False, 10)
    last = ask(f"logLines(last: 2) {{ {fields.format()} }}")["logLines"]
    assert [edge["node"]["number"] for edge in last["edges"]] == [8, 9]
    most = ask(f"logLines {{ {fields.format()} }}")["logLines"]
    assert (len(most["edges"]), most["pageInfo"]["hasNextPage"]) == (7, True)


def test_run_says_how_much_it_has_logged(store: Store, ask: Callable[..., Any]) -> None:
    log(store, run_streams.HISTORY, '{"_step": 3, "loss": 1}', '{"_step": 7, "acc": 2}')
    log(store, run_streams.OUTPUT, "a")
    found = ask("historyLineCount eventsLineCount logLineCount historyKeys historyTail eventsTail")
    assert [found[f"{kind}LineCount"] for kind in ("history", "events", "log")] == [2, 0, 1]
    assert found["historyKeys"] == {"lastStep": 7, "sets": [], "keys": {"_step": {}, "loss": {}, "acc": {}}}
    assert json.loads(found["historyTail"]) == ['{"_step": 7, "acc": 2}']
    assert json.loads(found["eventsTail"]) == []


def test_nothing_is_exported_to_parquet(store: Store, ask: Callable[..., Any]) -> None:
    """Clients read the history from the first live row on."""
    log(store, run_streams.HISTORY, '{"_step": 3, "loss": NaN}', '{"_step": 7}')
    found = ask('parquetHistory(liveKeys: ["loss"]) { parquetUrls liveData }')["parquetHistory"]
    assert found == {"parquetUrls": [], "liveData": [{"_step": 3, "loss": "NaN"}]}


@pytest.mark.parametrize(
    ("state", "failed", "running"),
    [("running", False, True), ("crashed", True, False), ("failed", True, False), ("finished", False, False)],
)
def test_flags_follow_the_state(store: Store, ask: Callable[..., Any], state: str, failed: bool, running: bool) -> None:
    make_run(store, "r", state=state)
    assert ask("state failed running stopped") == {
        "state": state,
        "failed": failed,
        "running": running,
        "stopped": False,
    }
