"""`python -m wandb_carbs.cli` is the `wandb-carbs` command."""

from wandb_carbs.cli.main import main

main()
