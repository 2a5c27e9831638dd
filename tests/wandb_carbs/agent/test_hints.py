"""Hints on a program, by what the SDK said on its standard error."""

from __future__ import annotations

import pytest

from wandb_carbs.agent.hints import hint_of_bool, hint_of_nested, hint_of_none, hint_of_source, hints

JOINED = "wandb: Run data is saved locally in /home/me/wandb/run-20261127_064316-abc\n"
AGAIN = JOINED.replace("abc", "abc-1")
ANOTHER = JOINED.replace("abc", "abcd")
REFUSED = "wandb: WARNING Config item 'lr' was locked by 'sweep' (ignored update).\n"


@pytest.mark.parametrize(
    ("words", "passes_values", "found"),
    [
        ([JOINED, JOINED], False, []),  # the beginning and the end of little are the same
        ([JOINED + AGAIN, "the end"], True, ["calls wandb.init() more than once"]),
        ([JOINED + ANOTHER, "the end"], True, []),  # folds in runs of their own
        ([JOINED + REFUSED, "the end"], False, ["writes lr into wandb.config"]),
        ([JOINED + REFUSED, "the end"], True, []),  # the program's arguments are the suggestion
        ([JOINED + JOINED + REFUSED], False, ["writes lr into wandb.config", "calls wandb.init() more than once"]),
        (["nothing of the kind"], False, []),
        ([], False, []),
    ],
)
def test_what_may_be_wrong_is_said(words: list[str], passes_values: bool, found: list[str]) -> None:
    said = hints(words, "abc", passes_values=passes_values)
    assert len(said) == len(found)
    assert all(part in hint for part, hint in zip(found, said, strict=True))


@pytest.mark.parametrize(("num_joined", "is_said"), [(0, False), (1, False), (2, True)])
def test_a_program_that_keeps_the_sdk_silent_is_known_by_its_folders(num_joined: int, *, is_said: bool) -> None:
    said = hints(["nothing of the kind", JOINED], "abc", passes_values=True, num_joined=num_joined)
    assert bool(said) is is_said
    assert all("calls wandb.init() more than once" in hint for hint in said)


@pytest.mark.parametrize(
    ("source", "is_doubted"),
    [
        ("wandb.init(config=args)\ntrain(args)", True),
        ("wandb.init()\nargs = load(args.config)", True),
        ("wandb.init()\ntrain(wandb.config)", False),
        ("config = wandb.init().config", False),
        ("with wandb.init() as run, WandbCarbs.from_sweep(run) as trial:", False),
        ("train(logger.experiment.config)", False),
        ("wandb.init()\nwandb.config.update(args)\ntrain(args)", True),
        ("run.config.update(vars(args), allow_val_change=True)\ntrain(args)", True),
        ("wandb.init().config.setdefaults(args)\ntrain(args)", True),
        ("wandb.config = args\ntrain(args)", True),
        ("wandb.config.update(args)\ntrain(wandb.config)", False),
        ("if wandb.config == args: train(args)", False),
    ],
)
def test_a_program_that_seems_to_read_no_values_is_doubted(source: str, is_doubted: bool) -> None:
    assert bool(hint_of_source("train.py", source)) is is_doubted


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("p.add_argument('--bias', type=bool, default=False)", ["bias"]),
        ('p.add_argument("-b", "--bias", default=f(True), type = bool)', ["bias"]),
        ("p.add_argument(\n    '--bias',\n    help='a, b',\n    type=bool,\n)", ["bias"]),
        ("p.add_argument('--lr', type=float)\np.add_argument('--bias', type=bool)", ["bias"]),
        ("p.add_argument('--lr', type=bool)\np.add_argument('--bias', type=bool)", ["bias", "lr"]),
        ("p.add_argument('--bias', type=boolean)", []),
        ("p.add_argument('--bias', action='store_true')\np.add_argument('--other', type=bool)", []),
        ("@click.option('--bias', type=bool)", []),
        ("p.add_argument('--bias', type=int)  # not type=bool", []),
        ("p.add_argument('--bias', type=int)\ndef f(x, type=bool): ...", []),
        ("p.add_argument('--bias', type=bool) if", []),
    ],
)
def test_an_argument_that_is_true_whatever_is_passed_is_named(source: str, found: list[str]) -> None:
    hint = hint_of_bool("train.py", source, ["bias", "lr", "use.bias"])
    assert bool(hint) is bool(found)
    assert not found or f"train.py has it for {', '.join(map(repr, found))}, which the command passes" in hint


def test_none_as_a_text_is_said_once_for_all_parameters() -> None:
    assert hint_of_none([]) == ""
    assert "null of 'drop', 'optim.clip' is passed to the program as the text None" in hint_of_none(
        ["drop", "optim.clip"]
    )


def test_nested_parameters_that_are_passed_as_one_word_are_named() -> None:
    assert hint_of_nested([]) == ""
    found = hint_of_nested(["model", "optim"])
    assert found.startswith("the parameters within 'model', 'optim' are passed to the program as one word, --model={'")
    assert "${args_override_hydra}" in found
    assert "if the sweep's file names it model.name" in found
