"""Forked processes do not collect what their parent has left."""

from __future__ import annotations

import subprocess
import sys

# In a process of its own: the hook stays.
PROGRAM = """
import gc, os, weakref
from wandb_carbs.agent.forks import spare_forks

class Connection:
    def __init__(self):
        self.itself = self

def fork():
    child = os.fork()
    if child == 0:
        gc.collect()
        os.write(1, b"the child\\n")
        os._exit(0)
    os.waitpid(child, 0)

gc.disable()
weakref.finalize(Connection(), os.write, 1, b"closed in ")
fork()
spare_forks()
fork()
gc.collect()
os.write(1, b"the parent\\n")
"""


def test_a_forked_process_leaves_its_parents_connections_alone() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    before, spared, parent = done.stdout.splitlines()
    assert before == "closed in the child"
    assert spared == "the child"
    assert parent == "closed in the parent"
