"""The handler of SIGTERM, in processes of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

START = """
import os, signal, threading
from wandb_carbs.agent import sigterm
sigterm.install()

class Trial:
    def abandon(self):
        print("abandoned", flush=True)

trial = Trial()
"""


def outcome(code: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-c", START + code], capture_output=True, text=True, timeout=60, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


@pytest.mark.parametrize("where", ["trial_in_main", "trial_in_thread"])
def test_the_process_ends_by_the_signal_after_the_call(where: str) -> None:
    watch = {
        "trial_in_main": "sigterm.watch(trial.abandon)\n",
        "trial_in_thread": "t = threading.Thread(target=sigterm.watch, args=(trial.abandon,)); t.start(); t.join()\n",
    }[where]
    assert outcome(watch + "os.kill(os.getpid(), signal.SIGTERM)") == (-signal.SIGTERM, "abandoned\n")


def test_without_a_trial_nothing_is_called() -> None:
    code = "sigterm.watch(trial.abandon); sigterm.unwatch(trial.abandon); os.kill(os.getpid(), signal.SIGTERM)"
    assert outcome(code) == (-signal.SIGTERM, "")


def test_another_handler_is_called_afterwards_and_restored() -> None:
    code = """
mine = lambda *_: print("mine", flush=True)
signal.signal(signal.SIGTERM, mine)
sigterm.watch(trial.abandon)
os.kill(os.getpid(), signal.SIGTERM)
sigterm.unwatch(trial.abandon)
assert signal.getsignal(signal.SIGTERM) is mine
os.kill(os.getpid(), signal.SIGTERM)
"""
    assert outcome(code) == (0, "abandoned\nmine\nmine\n")


def test_who_ignores_the_signal_goes_on_doing_so() -> None:
    code = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sigterm.watch(trial.abandon)
os.kill(os.getpid(), signal.SIGTERM)
print("alive")
"""
    assert outcome(code) == (0, "alive\n")


def test_a_forked_worker_dies_quietly() -> None:
    """Data loaders terminate their workers: the parent's run does not concern them."""
    code = """
import time
sigterm.watch(trial.abandon)
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    os.write(write, b"!")
    time.sleep(60)
    os._exit(1)
os.read(read, 1)
os.kill(pid, signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    assert outcome(code) == (0, f"{-signal.SIGTERM}\n")


def test_no_watcher_is_lost_between_threads() -> None:
    code = """
import sys
sys.setswitchinterval(1e-6)
class Other:
    def abandon(self): pass
kept = [[] for _ in range(4)]
def work(mine):
    for _ in range(500):
        lasting, passing = Other(), Other()
        mine.append(lasting)
        sigterm.watch(passing.abandon)
        sigterm.watch(lasting.abandon)
        sigterm.unwatch(passing.abandon)
threads = [threading.Thread(target=work, args=(mine,)) for mine in kept]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(sigterm._watchers))
"""
    assert outcome(code) == (0, "2000\n")


def test_it_can_raise_an_error_for_a_while() -> None:
    code = """
before = signal.getsignal(signal.SIGTERM)
try:
    with sigterm.raising(SystemExit(7)):
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            print("unwound", flush=True)
finally:
    print(signal.getsignal(signal.SIGTERM) is before)
"""
    assert outcome(code) == (7, "unwound\nTrue\n")
