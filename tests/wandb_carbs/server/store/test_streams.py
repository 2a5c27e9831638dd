"""Samples of what runs have streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stored import run_row, send
from wandb_carbs.plain import finite
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store import run_streams, streams
from wandb_carbs.server.store.database import Store


def test_history_is_sampled_by_keys_steps_and_count(store: Store) -> None:
    lines = [json.dumps({"_step": s, "loss": float(s), **({"acc": s} if s % 2 else {})}) for s in range(10)]
    send(store, run_streams.HISTORY, 0, *lines, '{"_step": 10, "loss": NaN}')
    run_id = run_row(store)["id"]
    with store.reading() as db:
        specs = ['{"keys": ["acc", "_step"], "samples": 3}', '{"minStep": 9, "maxStep": 10}']
        by_keys, by_steps = streams.sampled_rows(db, run_id, specs)
        assert [r["acc"] for r in by_keys] == [1, 5, 9]
        assert by_steps[1] == {"_step": 10, "loss": "NaN"}
        assert len(streams.sampled_lines(db, run_id, run_streams.HISTORY, 4, (None, None))) == 4
        assert streams.sampled_lines(db, run_id, run_streams.HISTORY, 1, (None, None)) == ['{"_step": 10, "loss": NaN}']
        with pytest.raises(RequestError):
            streams.sampled_rows(db, run_id, ['{"samples": "many"}'])


def test_sample_is_that_of_the_rows_read_one_by_one(store: Store) -> None:
    """SQLite looks for keys and steps; keys that only look alike, and lines that it cannot read, are distinguished."""
    odd = 'quo"te'
    lines = []
    for step in range(60):
        line: dict[str, Any] = {"_step": step, "value": f'the text "loss" {step}'}
        line |= {"loss": step} if step % 4 else {"nested": {"loss": step}}
        line |= {"train/acc": float("nan")} if step % 5 == 0 else {}
        line |= {odd: None, "ü": 1} if step % 3 == 0 else {}
        lines.append(json.dumps(line))
    send(store, run_streams.HISTORY, 0, *lines, '{"loss": 1}', '{"_step": "4", "loss": 1}')
    rows = [json.loads(line) for line in [*lines, '{"loss": 1}', '{"_step": "4", "loss": 1}']]
    run_id = run_row(store)["id"]
    some: tuple[list[str], ...] = (
        [],
        ["loss"],
        ["train/acc", "loss"],
        [odd],
        ["ü", "value"],
        ["nosuch"],
        ["loss", "_step"],
        ["loss", "loss"],
    )
    for keys in some:
        for low, high in ((None, None), (10, None), (None, 20), (5, 29), (100, None)):
            wanted = [
                {key: found[key] for key in keys} if keys else found
                for found in rows
                if all(key in found for key in keys)
                and (
                    (low, high) == (None, None)
                    or (
                        isinstance(found.get("_step"), int)
                        and (low is None or found["_step"] >= low)
                        and (high is None or found["_step"] <= high)
                    )
                )
            ]
            with store.reading() as db:
                spec = json.dumps({"keys": keys, "minStep": low, "maxStep": high})
                assert streams.sampled_rows(db, run_id, [spec]) == [[finite(found) for found in wanted]]


def test_values_inside_others_are_asked_for_by_dots(store: Store) -> None:
    """As `run.history(keys=["train.loss"])` asks for what `run.log({"train": {"loss": 1}})` has logged."""
    lines = [
        {"_step": 0, "train": {"loss": 0, "deep": {"a.b": 1}}},
        {"_step": 1, "train.loss": 1, "train": {"loss": "hidden"}},
        {"_step": 2, "train": {"ü": 2, "los": 3}, "loss": 4},
        {"_step": 3, "train": {"loss": float("nan")}},
    ]
    send(store, run_streams.HISTORY, 0, *map(json.dumps, lines))
    run_id = run_row(store)["id"]
    keys = ["train.loss"], ["train.deep.a.b", "_step"], ["train.ü"], ["train.nosuch"]
    with store.reading() as db:
        loss, deep, odd, nosuch = streams.sampled_rows(db, run_id, [json.dumps({"keys": list(k)}) for k in keys])
    assert loss == [{"train.loss": 0}, {"train.loss": 1}, {"train.loss": "NaN"}]
    assert deep == [{"train.deep.a.b": 1, "_step": 0}]
    assert (odd, nosuch) == ([{"train.ü": 2}], [])


def test_page_by_steps_leaves_no_line_out(store: Store) -> None:
    """A run that was started again without being resumed has several lines of a step."""
    steps = [0, 1, 2, 0, 1, 2, 3]
    send(store, run_streams.HISTORY, 0, *(json.dumps({"_step": step, "line": i}) for i, step in enumerate(steps)))
    run_id = run_row(store)["id"]
    with store.reading() as db:
        page = streams.sampled_lines(db, run_id, run_streams.HISTORY, 3, (0, 3))
        (by_keys,) = streams.sampled_rows(db, run_id, ['{"keys": ["line"], "minStep": 0, "maxStep": 2, "samples": 3}'])
        (sample,) = streams.sampled_rows(db, run_id, ['{"keys": ["line"], "minStep": 0, "maxStep": 9, "samples": 3}'])
    assert [json.loads(line)["line"] for line in page] == [found["line"] for found in by_keys] == [0, 1, 2, 3, 4, 5]
    assert len(sample) == 3


def test_only_the_sample_is_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    send(store, run_streams.HISTORY, 0, *(json.dumps({"_step": step, "loss": step}) for step in range(1000)))
    run_id = run_row(store)["id"]
    read: list[str] = []
    loads = json.loads

    def note(text: str) -> Any:
        read.append(text)
        return loads(text)

    monkeypatch.setattr(json, "loads", note)
    with store.reading() as db:
        (found,) = streams.sampled_rows(db, run_id, ['{"keys": ["loss"], "minStep": 100, "samples": 5}'])
    assert [line["loss"] for line in found] == [100, 325, 550, 774, 999]
    assert len(read) < 20
