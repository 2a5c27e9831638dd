"""Check what `wandb-carbs demo --json` wrote."""  # noqa: INP001 - a script

import itertools
import json
import statistics
import sys
from pathlib import Path


def problems(demo: dict) -> list[str]:
    """List what is wrong with a demo's results."""
    runs, frontier = demo["runs"], demo["frontier"]
    checks = {
        "there are 30 runs": len(runs) == 30,
        "all runs succeeded": all(run["state"] == "observation" for run in runs),
        "all configurations differ": len({json.dumps(run["config"], sort_keys=True) for run in runs}) == len(runs),
        "each run's stored configuration is its suggestion": all(run["config"] == run["suggestion"] for run in runs),
        "the model chose most of them": sum(run["kind"] != "random" for run in runs) > len(runs) / 2,
        "the frontier is not empty": bool(frontier),
        "the frontier falls": all(
            a["cost"] < b["cost"] and a["objective"] > b["objective"] for a, b in itertools.pairwise(frontier)
        ),
        "the best loss is below 0.15": frontier[-1]["objective"] < 0.15,
        "costs of the frontier range over a decade": frontier[-1]["cost"] > 10 * frontier[0]["cost"],
        # While two trainings use the cores.
        "the median suggestion takes less than 0.5 s": statistics.median(demo["suggest_seconds"]) < 0.5,
    }
    return [claim for claim, holds in checks.items() if not holds]


wrong = problems(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
sys.exit("\n".join(f"not so: {claim}" for claim in wrong) or 0)
