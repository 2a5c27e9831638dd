"""Sockets of the server."""

from __future__ import annotations

import socket

from wandb_carbs.server.engine import bind


def test_connections_do_not_wait_for_more_to_send() -> None:
    """Unless asyncio sees that a socket is one of TCP, it sets no TCP_NODELAY, and kept-alive requests wait 40 ms."""
    with bind("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
