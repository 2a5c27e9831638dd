"""One suggestion per job, not per process."""

from __future__ import annotations

import os

from wandb_carbs.errors import WandbCarbsError

# Ranks in a whole job, innermost launcher first: torchrun in a task of a SLURM step decides, not SLURM, since each task
# may be a job of its own. (One job over several tasks has RANK=8 in the second, too.)
_JOB_VARIABLES = (
    "RANK",
    "OMPI_COMM_WORLD_RANK",
    "MV2_COMM_WORLD_RANK",
    "PMIX_RANK",
    "PMI_RANK",
    "SLURM_PROCID",
)
# The rank on a machine: 0 says nothing, but more is never a job's first, and some launchers say nothing else to
# the processes that they start in the first task of a SLURM step.
_MACHINE_VARIABLE = "LOCAL_RANK"


def check_rank() -> None:
    """Make sure that this process is its job's first.

    Raises:
        WandbCarbsError: If a launcher (torchrun, MPI, SLURM) says that it is another.
    """
    ranks = {name: os.environ.get(name, "").strip() for name in (*_JOB_VARIABLES, _MACHINE_VARIABLE)}
    deciding = next((name for name in _JOB_VARIABLES if ranks[name]), _MACHINE_VARIABLE)
    for name in (deciding, _MACHINE_VARIABLE):
        value = ranks[name]
        if value.isdigit() and int(value) > 0:
            raise WandbCarbsError(
                f"this process is rank {value} of its job ({name}={value}), and a job takes one suggestion: create "
                "WandbCarbs on rank 0 only and send suggest()'s plain dict to the others, e.g. "
                "torch.distributed.broadcast_object_list([suggestion], src=0) or comm.bcast(suggestion, root=0); "
                "where Lightning starts them, by a variable in os.environ that rank 0 sets before fit(). If the ranks "
                "are independent runs of the sweep, pass WandbCarbs(…, any_rank=True)"
            )
