"""Requests that the SDK has no public function for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wandb_carbs import graphql
from wandb_carbs.errors import WandbCarbsError


def test_request_goes_through_the_service_where_the_sdk_has_it() -> None:
    sent: list[Any] = []

    def send(document: str, variables: dict[str, Any]) -> str:
        sent.append((document, variables))
        return "answer"

    source = SimpleNamespace(_service_api=SimpleNamespace(execute_graphql=send))
    assert graphql.execute(source, "query { a }", {"b": 1}) == "answer"
    assert sent == [("query { a }", {"b": 1})]


def test_installed_sdk_is_one_that_is_known() -> None:
    graphql.check_sdk()


def test_unknown_sdk_is_refused_by_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphql, "_has_service", lambda: False)
    monkeypatch.setattr(graphql, "_has_client", lambda: False)
    with pytest.raises(WandbCarbsError, match=r"wandb \S+ has no way .* install another"):
        graphql.check_sdk()
