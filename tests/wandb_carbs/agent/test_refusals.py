"""Programs that refuse their arguments, or cannot start."""

from __future__ import annotations

import pytest

from wandb_carbs.agent.refusals import refusal_of

TRACEBACK = "Traceback (most recent call last):\n  File 'train.py', line 9, in <module>\n    main()\n"


@pytest.mark.parametrize(
    "words",
    [
        "usage: train.py [-h]\ntrain.py: error: unrecognized arguments: --lr=0.1",  # argparse
        "Usage: train.py [OPTIONS]\n\nError: No such option: --lr",  # click
        "ERROR: Could not consume arg: --lr=0.1\nUsage: train.py",  # Fire
        "Could not override 'lr'.\nTo append to your config use +lr=0.1\nKey 'lr' is not in struct",  # Hydra
        "FATAL Flags parsing error:\n  Unknown command line flag 'lr'",  # absl
        TRACEBACK + "TypeError: train() got an unexpected keyword argument 'lr'",  # train(**wandb.config)
        TRACEBACK + "ValueError: Some specified arguments are not used by the HfArgumentParser: ['--lr=3']",
        "usage: train.py [-h]\ntrain.py: error: argument --epochs: invalid int value: '3.5'",
        "usage: train.py [-h]\nMy program: error: argument --bias: ignored explicit argument 'False'",
        "Usage: train.py [OPTIONS]\n\nError: Invalid value for '--epochs': '3.5' is not a valid integer.",
        "│ Unrecognized options: --lr=3       │",  # tyro
        "│ Error parsing --epochs: invalid literal for int() with base 10: '3.5' │",
        'tip: run train.py --help\nerror: Parser key "epochs":\n  Expected an int. Got value: 3.5',  # jsonargparse
        "FATAL Flags parsing error: flag --epochs=3.5: invalid literal for int() with base 10: '3.5'",
        "no viable alternative at input '['\nSee https://hydra.cc/docs/1.2/advanced/override_grammar",
        "LexerNoViableAltException: it's\nSee https://hydra.cc/docs/1.2/advanced/override_grammar/basic for details",
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


@pytest.mark.parametrize("may_be_training", [True, False])
def test_other_runs_may_end_otherwise_once_a_training_may_have_begun(*, may_be_training: bool) -> None:
    for words in ("Could not override 'lr'.", "ImportError: no kernel of size 5"):
        refusal = refusal_of(1, words, may_be_training=may_be_training)
        assert refusal is not None
        assert refusal.is_certain is not may_be_training


@pytest.mark.parametrize(
    "words",
    [
        "WARNING: tokenizer: unrecognized arguments: ['foo'] are ignored\n" + TRACEBACK + "ZeroDivisionError: by zero",
        TRACEBACK.replace("main()", "raise ValueError('invalid choice')  # no such option") + "ValueError: bad",
        "ImportError: no apex: a slower one is taken\n" + TRACEBACK + "ZeroDivisionError: by zero",
        "╭── Traceback (most recent call last) ──╮\n│ raise KeyError('no such option') │\n╰──╯\nKeyError: 'x'",
        TRACEBACK + "KeyError: 'invalid choice'\nretrying\n" + TRACEBACK + "ValueError: bad",
    ],
)
def test_only_the_exception_that_ended_a_program_says_why(words: str) -> None:
    assert refusal_of(1, words, may_be_training=True) is None


@pytest.mark.parametrize(
    "between",
    [
        "The above exception was the direct cause of the following exception:",
        "During handling of the above exception, another exception occurred:",
    ],
)
def test_an_exception_that_was_raised_from_a_refusal_is_one(between: str) -> None:
    refused = "TypeError: build() got an unexpected keyword argument 'layers'"
    raised = TRACEBACK.replace("main()", "raise RuntimeError('no such option')") + "RuntimeError: no model"
    words = f"{TRACEBACK}{refused}\n\n{between}\n\n{raised}"
    refusal = refusal_of(1, words, may_be_training=True, parameters=["layers"])
    assert refusal is not None
    assert refusal.reason == f"refused its arguments: {refused}"
    assert refusal_of(1, words, may_be_training=True, parameters=["lr"]) is None


def test_all_lines_of_an_exception_are_read() -> None:
    words = TRACEBACK + "ValidationError: 1 error\ndrop\n  Extra inputs [type=extra_forbidden, x]\n" + "wandb: .\n" * 30
    assert refusal_of(1, words, may_be_training=True, parameters=["drop"]) is not None
    assert refusal_of(1, words, may_be_training=True, parameters=["lr"]) is None


def test_a_program_that_has_logged_its_metric_has_refused_nothing() -> None:
    words = "train.py: error: unrecognized arguments: --lr=0.1"
    assert refusal_of(2, words, may_be_training=True, has_logged=True) is None


def test_where_no_values_are_given_only_functions_and_parsers_refuse_them() -> None:
    def is_refusal(code: int, words: str, *, may_be_training: bool = True) -> bool:
        return refusal_of(code, words, may_be_training=may_be_training, passes_values=False) is not None

    assert not is_refusal(1, TRACEBACK + "RuntimeError: CUDA error: unrecognized option")
    assert is_refusal(1, TRACEBACK + "TypeError: train() got an unexpected keyword argument 'lr'")
    assert is_refusal(2, "train.py: error: the following arguments are required: --data")
    assert is_refusal(1, "Could not override 'model'.", may_be_training=False)


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
    refusal = refusal_of(1, TRACEBACK + "ModuleNotFoundError: No module named 'torch'", may_be_training=True)
    assert refusal is not None
    assert refusal.advice == "the program cannot start: ModuleNotFoundError: No module named 'torch'"
