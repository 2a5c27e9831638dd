"""Sockets of the server."""

from __future__ import annotations

import socket

import pytest

from wandb_carbs.server.engine import bind
from wandb_carbs.server.errors import ServerError


def test_connections_do_not_wait_for_more_to_send() -> None:
    """Unless asyncio sees that a socket is one of TCP, it sets no TCP_NODELAY, and kept-alive requests wait 40 ms."""
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_taken_address_is_named_with_what_to_do(host: str) -> None:
    try:
        listener = bind(host, 0)
    except ServerError:
        pytest.skip(f"this machine has no {host}")
    port = listener.getsockname()[1]
    with listener, pytest.raises(ServerError, match=f"cannot listen on {host}:{port}: .* choose another --port"):
        bind(host, port)


def test_address_of_another_machine_is_named_with_what_to_do() -> None:
    # Of the addresses that are kept for documents.
    with pytest.raises(ServerError, match=r"cannot listen on 192\.0\.2\.1:0: .* choose another --host"):
        bind("192.0.2.1", 0)


@pytest.mark.parametrize("port", [-1, 70_000])
def test_number_that_is_no_port_is_named(port: int) -> None:
    with pytest.raises(ServerError, match=f"cannot listen on 127.0.0.1:{port}"):
        bind("127.0.0.1", port)
