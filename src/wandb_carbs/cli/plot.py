"""`wandb-carbs plot`."""

from __future__ import annotations

from pathlib import Path

import click

from wandb_carbs.cli.connection import load, sweep_argument

_ENDINGS = (".png", ".pdf", ".svg")


@click.command("plot")
@sweep_argument
@click.option(
    "-o",
    "--output",
    default="frontier.png",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write; its ending says how: .png, .pdf or .svg.",
)
@click.option(
    "--what",
    type=click.Choice(["frontier", "scaling", "calibration"]),
    default="frontier",
    show_default=True,
    help="The frontier, the scaling law of each hyperparameter, or predictions against what was seen.",
)
def command(sweep: str, output: Path, what: str) -> None:
    """Draw a sweep for a paper or a slide."""
    if output.suffix.lower() not in _ENDINGS:
        raise click.BadParameter(f"{output.name!r} must end in {', '.join(_ENDINGS)}", param_hint="--output")
    history = load(sweep)
    from carbs import plotting  # noqa: PLC0415 - imports numpy
    from carbs.scaling import scaling_laws  # noqa: PLC0415 - likewise
    from wandb_carbs.report.data import PREDICTED_OBJECTIVE, ReportData  # noqa: PLC0415 - likewise

    data = ReportData(history)
    space, config, successes = data.carbs.space, data.carbs.config, data.carbs.success_observations
    if what == "frontier":
        figure = plotting.plot_frontier(space, [*successes, *data.carbs.failure_observations], config)
    elif what == "scaling":
        figure = plotting.plot_scaling(scaling_laws(space, successes, config), space, successes, config)
    else:
        figure = plotting.plot_calibration(data.calibration(PREDICTED_OBJECTIVE))
    figure.savefig(output, dpi=200)
    click.echo(f"{what} in {output}")
