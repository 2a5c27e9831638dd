"""A signal is recognised in both forms in which a process reports it."""

from __future__ import annotations

import signal

import pytest

from wandb_carbs.exit_codes import INTERRUPTED, TERMINATED, as_shell, of_signal, signal_of


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGSEGV])
def test_both_forms_name_the_signal(number: signal.Signals) -> None:
    assert signal_of(-number) == signal_of(of_signal(number)) == number.name
    assert as_shell(-number) == as_shell(of_signal(number)) == of_signal(number)


@pytest.mark.parametrize("code", [0, 1, 127, 128, 255, -250])
def test_other_codes_name_none(code: int) -> None:
    assert signal_of(code) == ""


def test_ctrl_c_and_sigterm_are_as_shells_have_them() -> None:
    assert (INTERRUPTED, TERMINATED, as_shell(3)) == (130, 143, 3)
