"""Read a program's standard error after its agent was killed, since a program without a reader would end.

Run as a script, so that it imports nothing of the package: it waits beside each program, and costs next to nothing.
Its standard input is a pipe that the agent holds open as long as it lives. Its arguments are the descriptor to read,
and the command that gets the last words, if there are any, once the program has ended.
"""

from __future__ import annotations

import contextlib
import os
import sys

_CHUNK = 64 * 1024


def keep(life: int, source: int, target: int) -> bytes:
    """Wait until nobody holds `life` open any more, then pass on what comes from `source` until that ends.

    Args:
        life: A pipe that the agent holds open.
        source: The program's output.
        target: Where it goes; it may be gone.

    Returns:
        The last of it.
    """
    words = bytearray()
    while os.read(life, _CHUNK):
        pass
    while chunk := os.read(source, _CHUNK):
        words += chunk
        del words[:-_CHUNK]
        with contextlib.suppress(OSError):
            os.write(target, chunk)
    return bytes(words)


if __name__ == "__main__":
    last_words = keep(0, int(sys.argv[1]), 2)
    if last_words and sys.argv[2:]:
        # Not before: it costs more memory than all else here.
        import subprocess

        subprocess.run(sys.argv[2:], input=last_words, check=False)  # noqa: S603 - the agent's own command
