"""Orders of runs."""

from __future__ import annotations

import pytest

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.store.orders import parse_order


@pytest.mark.parametrize(
    ("order", "keys"),
    [
        (None, [("created_at", True)]),
        ("", [("created_at", True)]),
        (" , ", [("created_at", True)]),
        ("heartbeat_at", [("heartbeat_at", False)]),
        ("+config.a", [("config.a", False)]),
        ("-summary_metrics.loss, +created_at", [("summary_metrics.loss", True), ("created_at", False)]),
    ],
)
def test_order_is_parsed(order: str | None, keys: list[tuple[str, bool]]) -> None:
    assert parse_order(order) == keys


@pytest.mark.parametrize("order", ["a," * 20, "x" * 5000])
def test_order_without_bounds_is_refused(order: str) -> None:
    with pytest.raises(RequestError, match="at most"):
        parse_order(order)


def test_order_by_a_field_that_no_run_has_is_refused() -> None:
    with pytest.raises(RequestError, match=r"no field 'loss'.*summary_metrics\.loss"):
        parse_order("-created_at, -loss")
