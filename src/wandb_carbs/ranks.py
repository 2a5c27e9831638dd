"""One suggestion per job, not per process."""

from __future__ import annotations

import os

from wandb_carbs.errors import WandbCarbsError

# Innermost launcher first: torchrun inside a SLURM step decides, not SLURM.
_RANK_VARIABLES = ("RANK", "OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID", "LOCAL_RANK")


def check_rank() -> None:
    """Make sure that this process is its job's first.

    Raises:
        WandbCarbsError: If a launcher (torchrun, MPI, SLURM) says that it is another.
    """
    for name in _RANK_VARIABLES:
        value = os.environ.get(name, "").strip()
        if not value:
            continue
        if value.isdigit() and int(value) > 0:
            raise WandbCarbsError(
                f"this process is rank {value} of its job ({name}={value}), and a job takes one suggestion: create "
                "WandbCarbs on rank 0 only and send suggest()'s plain dict to the others, e.g. "
                "torch.distributed.broadcast_object_list([suggestion], src=0) or comm.bcast(suggestion, root=0). If "
                "the ranks are independent runs of the sweep, pass WandbCarbs(…, any_rank=True)"
            )
        return
