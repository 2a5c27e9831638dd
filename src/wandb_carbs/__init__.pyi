from .agent.arguments import DrawnArgumentsWarning as DrawnArgumentsWarning
from .agent.arguments import LateSuggestionWarning as LateSuggestionWarning
from .agent.changes import RefusedChangeWarning as RefusedChangeWarning
from .agent.pow2 import Pow2WandbCarbs as Pow2WandbCarbs
from .agent.wandb_carbs import WandbCarbs as WandbCarbs
from .errors import WandbCarbsError as WandbCarbsError
from .errors import WandbConnectionError as WandbConnectionError
from .record import RunRecord as RunRecord
from .record import Standing as Standing
from .record import Verdict as Verdict
from .sweep.configuration import sweep_configuration as sweep_configuration
from .sweep.create import create_sweep as create_sweep
from .sweep.definition import SweepDefinition as SweepDefinition
from .sweep.definition import load_definition as load_definition
from .sweep.history import SweepHistory as SweepHistory
from .sweep.history import SweepReader as SweepReader
from .sweep.history import carbs_from_sweep as carbs_from_sweep
from .sweep.history import load_sweep as load_sweep
from .sweep.judged import JudgedRun as JudgedRun
from .sweep.path import SweepPath as SweepPath

__version__: str
