"""Requests to W&B that the SDK has no public function for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def execute(source: Any, document: str, variables: Mapping[str, Any]) -> Any:
    """Send a GraphQL request the way this version of the SDK does.

    Args:
        source: A `wandb.Api`, or a run that one gave.
        document: The request.
        variables: Its variables.

    Returns:
        The reply's data.
    """
    # From 0.27 on; 0.25 and 0.26 have the object, but not the function.
    send = getattr(getattr(source, "_service_api", None), "execute_graphql", None)
    if callable(send):
        return send(document, dict(variables))
    # Before, the public API spoke to the server itself, through a GraphQL client that the SDK brings along.
    from wandb_gql import gql  # type: ignore[import-not-found]  # noqa: PLC0415

    return source.client.execute(gql(document), variable_values=dict(variables))
