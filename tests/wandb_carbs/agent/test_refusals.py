"""Programs that refuse their arguments, or cannot start."""

from __future__ import annotations

import pytest

from wandb_carbs.agent.refusals import refusal_of


@pytest.mark.parametrize(
    "words",
    [
        "usage: train.py [-h]\ntrain.py: error: unrecognized arguments: --lr=0.1",  # argparse
        "Usage: train.py [OPTIONS]\n\nError: No such option: --lr",  # click
        "ERROR: Could not consume arg: --lr=0.1\nUsage: train.py",  # Fire
        "Could not override 'lr'.\nTo append to your config use +lr=0.1\nKey 'lr' is not in struct",  # Hydra
        "FATAL Flags parsing error:\n  Unknown command line flag 'lr'",  # absl
        "Traceback\nTypeError: train() got an unexpected keyword argument 'lr'",  # train(**wandb.config)
        "Traceback\nValueError: Some specified arguments are not used by the HfArgumentParser: ['--lr=3']",
        "usage: train.py [-h]\ntrain.py: error: argument --epochs: invalid int value: '3.5'",
        "usage: train.py [-h]\nMy program: error: argument --bias: ignored explicit argument 'False'",
        "Usage: train.py [OPTIONS]\n\nError: Invalid value for '--epochs': '3.5' is not a valid integer.",
        "│ Unrecognized options: --lr=3       │",  # tyro
        "│ Error parsing --epochs: invalid literal for int() with base 10: '3.5' │",
        'tip: run train.py --help\nerror: Parser key "epochs":\n  Expected an int. Got value: 3.5',  # jsonargparse
        "FATAL Flags parsing error: flag --epochs=3.5: invalid literal for int() with base 10: '3.5'",
        "no viable alternative at input '['\nSee https://hydra.cc/docs/1.2/advanced/override_grammar",
        "mismatched input '=' expecting <EOF>\nSee https://hydra.cc/docs/1.2/advanced/override_grammar",
        "╭─ Error ───────╮\n│ Option '--bias' does not take a value. │\n╰───────╯",  # typer
        "╭─ Missing argument ───╮\n│ Missing value for argument '--betas'. Expected 2 values. │\n╰─────╯",  # tyro
        "Error: Option '--lr' requires an argument.",
        "ValidationError: 1 error\ndrop\n  Input should be a valid number [type=float_parsing, input_value='None']",
    ],
)
def test_a_parser_is_known_by_its_words(words: str) -> None:
    refusal = refusal_of(2, words, may_be_training=True)
    assert refusal is not None
    assert refusal.is_certain
    assert refusal.reason.startswith("refused its arguments: ")
    assert "${args_no_hyphens}" in refusal.advice
    assert "${args_override_hydra}" in refusal.advice


@pytest.mark.parametrize(
    "words",
    [
        "╭─ Unrecognized options ─╮\n│ Unrecognized options: True │\n│ ───── │\n│ see --help │\n╰───╯",
        "┏━ Unrecognized options ━┓\n┃ Unrecognized options: True ┃\n┗━━━┛",
    ],
)
def test_the_frame_around_a_complaint_is_left_out(words: str) -> None:
    refusal = refusal_of(2, words, may_be_training=False)
    assert refusal is not None
    assert refusal.reason == "refused its arguments: Unrecognized options: True"


def test_the_line_of_the_parser_is_shown_with_what_belongs_to_it() -> None:
    refusal = refusal_of(2, 'error: Parser key "epochs":\n  Expected an int. Got value: 3.5\n', may_be_training=False)
    assert refusal is not None
    assert refusal.reason.endswith('Parser key "epochs": Expected an int. Got value: 3.5')


def test_a_validation_error_may_be_of_one_run_alone() -> None:
    words = "ValidationError: 1 error\nscore\n  Input should be a valid number [type=float_parsing, input_value='n/a']"
    refusal = refusal_of(1, words, may_be_training=True)
    assert refusal is not None
    assert not refusal.is_certain


KEYWORD = "TypeError: SGD.__init__() got an unexpected keyword argument 'betas'"
FIELD = "ValidationError: 1 error for Settings\nstart_method\n  Extra inputs are [type=extra_forbidden, input]"


@pytest.mark.parametrize("words", [KEYWORD, FIELD])
def test_a_name_that_is_no_parameter_of_the_sweep_was_not_given_by_it(words: str) -> None:
    """One optimizer of two does not take what the program gives it, or another version of a library does not."""
    for code in (1, 2):
        assert refusal_of(code, words, may_be_training=True, parameters=["optimizer.lr", "width"]) is None


@pytest.mark.parametrize("parameters", [["optimizer.betas", "start_method"], ["betas.first", "start-method"], []])
@pytest.mark.parametrize("words", [KEYWORD, FIELD])
def test_a_parameter_that_is_not_taken_may_be_taken_in_other_configurations(words: str, parameters: list[str]) -> None:
    refusal = refusal_of(1, words, may_be_training=True, parameters=parameters)
    assert refusal is not None
    assert not refusal.is_certain


def test_what_a_training_says_is_no_refusal() -> None:
    for words in ("ValueError: invalid value for 'dropout'", "RuntimeError: mismatched input shapes"):
        assert refusal_of(1, words, may_be_training=True) is None


def test_an_unknown_parser_is_told_by_its_exit_code_before_the_run() -> None:
    words = "╭─ Wrong ─╮\n│ bad option --lr │\n│ ─────── │\n╰─────────╯\n-------\n"
    refusal = refusal_of(2, words, may_be_training=False)
    assert refusal is not None
    assert (refusal.reason, refusal.is_certain) == ("refused its arguments: bad option --lr", False)
    assert refusal_of(2, words, may_be_training=True) is None
    assert refusal_of(1, words, may_be_training=False) is None
    silent = refusal_of(2, "", may_be_training=False)
    assert silent is not None
    assert silent.reason == "refused its arguments: exit code 2"


def test_a_program_that_cannot_be_imported_does_not_start() -> None:
    refusal = refusal_of(1, "Traceback\nModuleNotFoundError: No module named 'torch'", may_be_training=True)
    assert refusal is not None
    assert refusal.advice == "the program cannot start: ModuleNotFoundError: No module named 'torch'"
