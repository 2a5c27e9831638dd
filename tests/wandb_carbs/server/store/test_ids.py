"""Names, and identifiers of objects."""

from __future__ import annotations

import base64

import pytest

from stored import make_run
from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.database import Store
from wandb_carbs.server.store.ids import checked_name, global_id, new_name, row_by_id, row_id


def test_identifier_stands_for_its_row_and_kind() -> None:
    assert row_id("Run", global_id("Run", 7)) == 7
    for kind, identifier in {"Sweep": global_id("Run", 7), "Run": "nosuch", "": ""}.items():
        with pytest.raises(RequestError) as refused:
            row_id(kind or "Run", identifier)
        assert refused.value.status == 404


@pytest.mark.parametrize("number", ["-1", "9" * 30, "1e3", "\u0661", "0x1", ""])
def test_identifier_of_no_row_number_is_unknown(number: str) -> None:
    with pytest.raises(RequestError, match="unknown run id"):
        row_id("Run", base64.b64encode(f"Run:{number}".encode()).decode())


def test_row_is_found_by_its_identifier(store: Store) -> None:
    run_id = make_run(store, "r")
    with store.reading() as db:
        assert row_by_id(db, "runs", "Run", global_id("Run", run_id))["name"] == "r"
        with pytest.raises(RequestError, match="unknown run id"):
            row_by_id(db, "runs", "Run", global_id("Run", run_id + 1))


def test_new_names_fit_into_addresses_and_differ() -> None:
    names = {new_name() for _ in range(100)}
    assert len(names) == 100
    assert all(checked_name("run", name) == name and len(name) == 8 for name in names)


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\\b", "a#b", "a?b", "50%", "a:b", "a\nb", "x" * 129])
def test_name_that_does_not_fit_is_refused_with_the_rule(name: str) -> None:
    with pytest.raises(RequestError, match=r"run name .* must have 1 to 128 printable characters"):
        checked_name("run", name)
