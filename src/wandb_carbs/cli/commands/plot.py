"""`wandb-carbs plot`."""

from __future__ import annotations

from pathlib import Path

import click

from wandb_carbs.cli.connection import load, sweep_or_project_argument
from wandb_carbs.cli.options import OutputFile, json_option, say
from wandb_carbs.record import PREDICTED_OBJECTIVE_KEY


@click.command("plot")
@sweep_or_project_argument
@click.option(
    "-o",
    "--output",
    type=OutputFile((".png", ".pdf", ".svg")),
    help="File to write; its ending says how: .png, .pdf or .svg.  [default: what is drawn, as .png]",
)
@click.option(
    "--what",
    type=click.Choice(["frontier", "scaling", "calibration"]),
    default="frontier",
    show_default=True,
    help="The frontier, the scaling law of each hyperparameter, or predictions against what was seen.",
)
@json_option
def command(sweep: str, output: Path | None, what: str, as_json: bool) -> None:
    """Draw a sweep for a paper or a slide."""
    output = output or Path(f"{what}.png")
    history = load(sweep)
    from carbs import CarbsError, plotting  # noqa: PLC0415 - imports numpy
    from carbs.scaling import scaling_laws  # noqa: PLC0415 - likewise
    from wandb_carbs.report.data import EXTREMES, TOO_EXTREME, ReportData  # noqa: PLC0415 - likewise
    from wandb_carbs.sweep.history import carbs_from_sweep  # noqa: PLC0415 - likewise

    data = ReportData(history)
    space, config, successes = data.carbs.space, data.carbs.config, data.carbs.success_observations
    try:
        if what == "frontier":
            ends = carbs_from_sweep(history.ended)
            runs = [*ends.success_observations, *ends.failure_observations]
            labels = {"objective_label": data.objective_title, "cost_label": data.cost_title}
            figure = plotting.plot_frontier(space, runs, config, **labels)
        elif what == "scaling":
            figure = plotting.plot_scaling(scaling_laws(space, successes, config), space, successes, config)
        else:
            figure = plotting.plot_calibration(data.calibration(PREDICTED_OBJECTIVE_KEY))
        figure.savefig(output, dpi=200)
    except CarbsError:
        raise
    except EXTREMES as error:
        raise click.ClickException(f"{what} of {history.path} cannot be drawn: {TOO_EXTREME}") from error
    facts = {
        "sweep": str(history.path),
        "file": str(output.absolute()),
        "format": output.suffix.lower().removeprefix("."),
        "runs": len(history.runs),
        "figures": [what],
    }
    say(f"{what} in {output}", facts, as_json=as_json)
