"""Requests to W&B that the SDK has no public function for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import wandb

from wandb_carbs.errors import WandbCarbsError


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
    from wandb_gql import gql  # noqa: PLC0415

    return source.client.execute(gql(document), variable_values=dict(variables))


def check_sdk() -> None:
    """Make sure that the installed SDK can send a request in a way that `execute` knows.

    Raises:
        WandbCarbsError: If it cannot.
    """
    if not (_has_service() or _has_client()):
        raise WandbCarbsError(
            f"wandb {wandb.__version__} has no way to write to a run that this version of wandb-carbs knows: install "
            "another (pip install 'wandb>=0.19,<0.32')"
        )


def _has_service() -> bool:
    try:
        from wandb.apis.public.service_api import ServiceApi  # noqa: PLC0415 - not in every SDK
    except ImportError:
        return False
    return hasattr(ServiceApi, "execute_graphql")


def _has_client() -> bool:
    try:
        import wandb_gql  # noqa: F401, PLC0415 - not in every SDK
    except ImportError:
        return False
    return isinstance(inspect.getattr_static(wandb.Api, "client", None), property)
