"""Read a program's standard error after its agent was killed, since a program without a reader would end.

Run as a script, so that it imports nothing of the package: it waits beside each program, and costs next to nothing.
Its standard input is a pipe that the agent holds open as long as it lives; its argument is the descriptor to read.
"""

from __future__ import annotations

import contextlib
import os
import sys

_CHUNK = 64 * 1024


def keep(life: int, source: int, target: int) -> None:
    """Wait until nobody holds `life` open any more, then pass on what comes from `source` until that ends.

    Args:
        life: A pipe that the agent holds open.
        source: The program's output.
        target: Where it goes; it may be gone.
    """
    while os.read(life, _CHUNK):
        pass
    while chunk := os.read(source, _CHUNK):
        with contextlib.suppress(OSError):
            os.write(target, chunk)


if __name__ == "__main__":
    keep(0, int(sys.argv[1]), 2)
