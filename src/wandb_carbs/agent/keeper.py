"""Read a program's standard error after its agent was killed, since a program without a reader would end.

Run as a script, so that it imports nothing of the package: it waits beside each program, and costs next to nothing.
Its standard input is a pipe that the agent holds open as long as it lives, and into which it writes how the program has
ended as soon as it knows. Its arguments are the descriptor to read, and the command that gets the last words, if there
are any, once the program has ended; the exit code is added to that command where the agent knew it.
"""

from __future__ import annotations

import contextlib
import os
import sys

_CHUNK = 64 * 1024
# The message of an agent that has recorded how the program ended.
RECORDED = b"\0"


def message(code: int, words: bytes) -> bytes:
    """Return what the agent writes about a program that has ended; `RECORDED` takes it back.

    Args:
        code: Its exit code.
        words: The end of its standard error.
    """
    return b"%d\n%s\0" % (code, words.replace(b"\0", b""))


def keep(life: int, source: int, target: int) -> tuple[str, bytes]:
    """Wait until nobody holds `life` open any more, then pass on what comes from `source` until that ends.

    Args:
        life: A pipe that the agent holds open, and writes messages to.
        source: The program's output.
        target: Where it goes; it may be gone.

    Returns:
        The exit code, empty if the agent did not know it; and the last words.
    """
    messages, words = bytearray(), bytearray()
    while chunk := os.read(life, _CHUNK):
        messages += chunk
    while chunk := os.read(source, _CHUNK):
        words += chunk
        del words[:-_CHUNK]
        with contextlib.suppress(OSError):
            os.write(target, chunk)
    # A message without an end was cut short by the agent's own end.
    *_, last, _ = (b"", *messages.split(b"\0"))
    code, _, told = bytes(last).partition(b"\n")
    return code.decode(), told if code else bytes(words)


if __name__ == "__main__":
    exit_code, last_words = keep(0, int(sys.argv[1]), 2)
    if (exit_code or last_words) and sys.argv[2:]:
        # Not before: it costs more memory than all else here.
        import subprocess

        known = [exit_code] if exit_code else []
        subprocess.run([*sys.argv[2:], *known], input=last_words, check=False)  # noqa: S603 - the agent's own command
