"""The command line, run as users run it."""

from __future__ import annotations

import base64
import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from carbs import CategoricalSpace, LinearSpace, LogSpace, Param
from wandb_carbs.cli.connection import parse_sweep
from wandb_carbs.server import LocalServer
from wandb_carbs.sweep.configuration import sweep_configuration
from wandb_carbs.sweep.definition import SweepDefinition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[3]
RUNS = 5


def run(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command with no W&B settings but `env`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_")}
    return subprocess.run(
        [sys.executable, "-m", "wandb_carbs.cli", *arguments],
        env={**kept, **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def assert_fails(done: subprocess.CompletedProcess[str], *words: str, code: int = 1) -> None:
    """Check for one message without a traceback."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("Error: ") == 1
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


class Sweep:
    """A finished sweep on a local server.

    Attributes:
        env: Settings that point to the server.
        server: The server.
        path: The sweep's name.
        address: Its page.
        folder: A working folder.
    """

    def __init__(self, server: LocalServer, path: str, folder: Path) -> None:
        entity, project, sweep_id = path.split("/")
        self.env = {**server.env(), "WANDB_DIR": str(folder), "HOME": str(folder)}
        self.server = server
        self.path = path
        self.address = f"{server.url}/{entity}/{project}/sweeps/{sweep_id}"
        self.folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command against the server."""
        return run(*arguments, env=self.env, cwd=self.folder)

    def create(self, params: list[Param]) -> Sweep:
        """Create a sweep on the same server."""
        config = json.dumps(sweep_configuration("made", params))
        query = """mutation M($c: String) { upsertSweep(input: {config: $c, entityName: "e", projectName: "p"}) {
            sweep { name } } }"""
        return Sweep(self.server, f"e/p/{self._ask(query, c=config)['upsertSweep']['sweep']['name']}", self.folder)

    def add_run(self, name: str, config: Mapping[str, Any], *, summary: str | None = None, **observed: Any) -> None:
        """Add a finished run.

        Args:
            name: Its id, after the sweep's.
            config: The suggestion.
            summary: Further members of its summary, as JSON has them without the braces.
            observed: `objective` and `cost`.
        """
        record = {"carbs.state": "success", **{f"carbs.{key}": value for key, value in observed.items()}}
        record["carbs.suggestion"] = json.dumps(config)
        text = json.dumps(record)[:-1] + (f", {summary}" if summary else "") + "}"
        entity, project, sweep_id = self.path.split("/")
        query = """mutation M($r: String, $e: String, $p: String, $w: String, $c: JSONString, $s: JSONString) {
            upsertBucket(input: {name: $r, entityName: $e, modelName: $p, sweep: $w, config: $c, summaryMetrics: $s}) {
            bucket { id } } }"""
        wrapped = json.dumps({key: {"value": value} for key, value in config.items()})
        run_id = f"{sweep_id}-{name}"
        self._ask(query, r=run_id, e=entity, p=project, w=sweep_id, c=wrapped, s=text)
        self._post(f"/files/{entity}/{project}/{run_id}/file_stream", {"complete": True, "exitcode": 0})

    def _ask(self, query: str, **variables: Any) -> Any:
        return self._post("/graphql", {"query": query, "variables": variables})["data"]

    def _post(self, path: str, body: object) -> Any:
        key = base64.b64encode(f"api:{self.server.api_key}".encode()).decode()
        asked = urllib.request.Request(
            self.server.url + path,
            json.dumps(body).encode(),
            {"Authorization": f"Basic {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(asked, timeout=20) as reply:
            return json.load(reply)

    def json(self, *arguments: str) -> object:
        """Run the command and return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    """Keep the sweep of a small demo, and serve it."""
    folder = tmp_path_factory.mktemp("sweep")
    done = run("demo", "--runs", str(RUNS), "--data-dir", "data", "--json", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "demo.json").write_text(done.stdout)
    parts = json.loads(done.stdout)["sweep"].split("/")
    with LocalServer(folder / "data") as server:
        yield Sweep(server, f"{parts[-4]}/{parts[-3]}/{parts[-1]}", folder)


def test_status_tells_states_frontier_and_cost(sweep: Sweep) -> None:
    status = sweep.json("status", sweep.path, "--json")
    assert isinstance(status, dict)
    assert status["runs"] == status["states"]["observation"] == RUNS
    assert status["spent_cost"] > 0
    assert status["best"] == status["frontier"][-1]
    assert status["running"] == []


def test_status_takes_an_address_and_prints_a_table(sweep: Sweep) -> None:
    done = sweep.run("status", sweep.address)
    assert done.returncode == 0
    assert done.stderr == ""
    assert f"{RUNS} runs" in done.stdout
    assert "learning_rate" in done.stdout


def test_suggestions_differ_and_change_nothing(sweep: Sweep) -> None:
    found = sweep.json("suggest", sweep.path, "-n", "3", "--json")
    assert isinstance(found, list)
    assert len({json.dumps(item["config"], sort_keys=True) for item in found}) == 3
    assert all(item["log"]["kind"] in {"random", "model", "resample"} for item in found)
    assert sweep.json("suggest", sweep.path, "-n", "3", "--json") == found


@pytest.mark.parametrize(
    ("command", "option"), [("status", "--interval"), ("suggest", "--for-cost"), ("best", "--max-cost")]
)
@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1e999", "0"])
def test_number_must_be_finite_and_in_its_range(command: str, option: str, number: str) -> None:
    done = run(command, "e/p/s", option, number)
    assert_fails(done, option, code=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 5000, "nested too deeply"),
        ("{a: " * 5000, "nested too deeply"),
        (
            "name: s\nproject: p\nparameters: {x: {space: linear, min: 0, max: 1}}\ncarbs: {self: 1}",
            "line 4: 'carbs': ",
        ),
    ],
)
def test_file_that_python_cannot_take_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "sweep.yaml").write_text(text)
    done = run("create", "sweep.yaml", cwd=tmp_path)
    assert_fails(done, "sweep.yaml", words)
    assert len(done.stderr.splitlines()) == 1


def test_empty_name_of_a_file_is_refused() -> None:
    assert_fails(run("report", "e/p/s", "-o", ""), "the name of the file is empty", code=2)


def test_interval_must_be_a_time_that_can_be_waited_for() -> None:
    assert_fails(run("status", "e/p/s", "--watch", "--interval", "1e300"), "--interval", code=2)


def test_names_and_values_are_shown_as_they_are(sweep: Sweep) -> None:
    """What looks like rich's markup, also if it is not balanced, or like its emojis, is text."""
    names = ["lr[encoder]", "lr[decoder]", "lr[/encoder]", ":smile:"]
    values: dict[str, float | str] = dict.fromkeys(names[:3], 0.01)
    made = sweep.create(
        [
            *(Param(name, LogSpace(1e-3, 1e-1), 0.01) for name in names[:3]),
            Param(":smile:", CategoricalSpace(("[red]", "[/]")), "[red]"),
        ]
    )
    made.add_run("done", {**values, ":smile:": "[red]"}, objective=0.5, cost=3.0)
    for command in ("status", "best", "suggest"):
        done = made.run(command, made.path)
        assert done.returncode == 0, done.stderr
        assert all(name in done.stdout for name in names)
        assert "[red]" in done.stdout


@pytest.mark.parametrize(
    "extreme",
    [
        {"cost": 5e-324},
        {"objective": 1e308},
        {"objective": -1e308, "cost": 1e-300},
        {"summary": '"carbs.predicted_cost": 1e-320, "carbs.predicted_cost_std": 0.1'},
    ],
)
def test_extreme_numbers_are_drawn_or_told(sweep: Sweep, extreme: dict[str, Any]) -> None:
    other = {"objective": 1e308, "cost": 1e300} if extreme.get("cost") == 1e-300 else {}
    made = sweep.create([Param("lr", LogSpace(1e-5, 1e-1)), Param("n", LinearSpace(1, 100, is_integer=True))])
    for i in range(12):
        numbers = {"objective": 0.5 + 0.02 * i, "cost": 1.0 + i * i, **(extreme if i == 3 else {})}
        numbers |= other if i == 5 else {}
        made.add_run(str(i), {"lr": 10 ** (-4.5 + 0.2 * i), "n": 1 + 7 * i}, **numbers)
    done = made.run("report", made.path, "-o", "extreme.html")
    assert done.returncode == 0, done.stderr
    assert "Scaling laws" in (made.folder / "extreme.html").read_text()
    for what in ("frontier", "scaling"):
        assert "Traceback" not in made.run("plot", made.path, "--what", what, "-o", "extreme.png").stderr


def test_best_keeps_to_the_cost(sweep: Sweep) -> None:
    frontier = json.loads((sweep.folder / "demo.json").read_text())["frontier"]
    assert sweep.json("best", sweep.path, "--json") == frontier[-1]
    assert sweep.json("best", sweep.path, "--max-cost", str(frontier[0]["cost"] * 1.0001), "--json") == frontier[0]
    assert_fails(sweep.run("best", sweep.path, "--max-cost", "1e-9"), "cheapest")


def test_export_writes_every_run(sweep: Sweep) -> None:
    for name in ("runs.csv", "runs.json"):
        assert sweep.run("export", sweep.path, "-o", name).returncode == 0
    with (sweep.folder / "runs.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    runs = json.loads((sweep.folder / "runs.json").read_text())
    assert [line["id"] for line in lines] == [row["id"] for row in runs]
    assert [float(line["config.learning_rate"]) for line in lines] == [row["config"]["learning_rate"] for row in runs]
    assert all(float(line["cost"]) > 0 for line in lines)
    assert_fails(sweep.run("export", sweep.path, "-o", "runs.txt"), ".csv", code=2)


def test_export_to_parquet_holds_what_csv_holds(sweep: Sweep) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet  # type: ignore[import-not-found, unused-ignore]

    told = sweep.json("export", sweep.path, "-o", "runs.parquet", "--json")
    assert isinstance(told, dict)
    assert sweep.run("export", sweep.path, "-o", "same.csv").returncode == 0
    table = parquet.read_table(sweep.folder / "runs.parquet")
    with (sweep.folder / "same.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert table.column_names == list(lines[0]) == told["columns"]
    assert [{key: str(value) for key, value in row.items()} for row in table.to_pylist()] == lines
    types = {name: str(table.schema.field(name).type) for name in ("id", "cost", "config.learning_rate")}
    assert types == {"id": "string", "cost": "double", "config.learning_rate": "double"}


@pytest.mark.parametrize(
    ("values", "held"),
    [
        ([2**64 + 1, None, 3], ["18446744073709551617", None, "3"]),
        ([2**60 + 1, 1.5, None], [float(2**60), 1.5, None]),
        ([10**400, 1.5], ["1" + "0" * 400, "1.5"]),
    ],
)
def test_export_to_parquet_takes_integers_of_any_size(tmp_path: Path, values: list[Any], held: list[Any]) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet  # type: ignore[import-not-found, unused-ignore]

    from wandb_carbs.cli.commands.export import write_parquet

    write_parquet(tmp_path / "runs.parquet", ["config.n"], [{"config.n": value} for value in values])
    assert parquet.read_table(tmp_path / "runs.parquet").column("config.n").to_pylist() == held


@pytest.fixture(scope="module")
def odd_sweep(sweep: Sweep) -> Sweep:
    """Make a sweep whose runs recorded what is valid, but unusual."""
    made = sweep.create([Param("n", LinearSpace(1, 2**70, is_integer=True), 5)])
    made.add_run("whole", {"n": 5}, objective=2**60 + 1, cost=10**30, summary='"carbs.kind": 5')
    made.add_run("large", {"n": 6}, objective=1, cost=1.7e308, summary='"carbs.kind": NaN')
    made.add_run("larger", {"n": 2**65}, objective=10**30, cost=1.7e308, summary='"carbs.kind": {"a": 1}')
    return made


def test_json_has_only_numbers_that_json_knows(odd_sweep: Sweep) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    assert odd_sweep.run("export", odd_sweep.path, "-o", "odd.json").returncode == 0
    rows = json.loads((odd_sweep.folder / "odd.json").read_text(), parse_constant=refuse)
    assert [row["kind"] for row in rows] == [None] * 3
    done = odd_sweep.run("status", odd_sweep.path, "--json")
    assert json.loads(done.stdout, parse_constant=refuse)["spent_cost"] is None
    assert "more than a float can hold" in odd_sweep.run("status", odd_sweep.path).stdout


def test_export_to_parquet_takes_all_that_a_run_may_record(odd_sweep: Sweep) -> None:
    pytest.importorskip("pyarrow")
    from pyarrow import parquet  # type: ignore[import-not-found, unused-ignore]

    done = odd_sweep.run("export", odd_sweep.path, "-o", "odd.parquet")
    assert done.returncode == 0, done.stderr
    table = parquet.read_table(odd_sweep.folder / "odd.parquet")
    assert table.column("objective").to_pylist() == [float(2**60), 1.0, 1e30]
    assert table.column("kind").to_pylist() == [None] * 3


def test_export_to_parquet_takes_choices_of_any_types(sweep: Sweep) -> None:
    """A column has one type; a sweep without runs has its columns all the same."""
    pytest.importorskip("pyarrow")
    from pyarrow import parquet  # type: ignore[import-not-found, unused-ignore]

    from wandb_carbs.cli.commands.export import write_parquet

    path = sweep.folder / "mixed.parquet"
    choices = [1, "a", True, None]
    write_parquet(path, ["id", "cost", "config.c"], [{"id": "r", "cost": None, "config.c": value} for value in choices])
    assert parquet.read_table(path).column("config.c").to_pylist() == ["1", "a", "True", None]
    write_parquet(path, ["id", "cost", "config.c"], [])
    assert str(parquet.read_schema(path).field("cost").type) == "double"


def test_missing_pyarrow_is_told_before_the_sweep_is_read(tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ModuleNotFoundError('no pyarrow', name='pyarrow')")
    env = {"PYTHONPATH": str(tmp_path), "WANDB_BASE_URL": "http://127.0.0.1:9"}
    done = run("export", "a/b/c", "-o", str(tmp_path / "runs.parquet"), env=env)
    assert_fails(done, "pip install 'wandb-carbs[parquet]'")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["export", "-o", "told.csv"], {"format": "csv", "rows": RUNS}),
        (["export", "-o", "told.json"], {"format": "json", "rows": RUNS}),
        (["plot", "-o", "told.SVG"], {"format": "svg", "runs": RUNS, "figures": ["frontier"]}),
        (["report", "-o", "told.html"], {"format": "html", "runs": RUNS, "logged": None}),
    ],
)
def test_json_tells_what_was_written(sweep: Sweep, arguments: list[str], expected: dict[str, object]) -> None:
    done = sweep.run(arguments[0], sweep.path, *arguments[1:], "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert expected.items() <= told.items()
    assert told["sweep"] == sweep.path
    assert told["file"] == str(sweep.folder / arguments[2])
    assert Path(told["file"]).stat().st_size > 0
    if arguments[0] == "report":
        assert "importance/effects" in told["figures"]
    if told["format"] == "csv":
        assert Path(told["file"]).read_text().splitlines()[0].split(",") == told["columns"]
    if told["format"] == "json":
        assert list(json.loads(Path(told["file"]).read_text())[0]) == told["columns"]


@pytest.mark.parametrize("command", ["export", "plot", "report"])
def test_json_leaves_errors_as_they_are(sweep: Sweep, command: str) -> None:
    output = ["-o", "runs.csv"] if command == "export" else []
    assert_fails(sweep.run(command, "demo/digits/nothing", "--json", *output), "demo/digits/nothing")
    missing = sweep.run(
        command, sweep.path, "--json", "-o", "nowhere/runs.png" if command == "plot" else "nowhere/x.csv"
    )
    assert_fails(missing, "there is no folder nowhere", code=2)
    assert_fails(sweep.run(command, "--json", *output), "SWEEP", code=2)


# The SDK's own Api() does what the SDK's own settings warn of.
@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_logged_report_is_a_run_of_its_own(
    sweep: Sweep, point_to: Callable[[LocalServer], object], tmp_path: Path
) -> None:
    """It is in the project but not in the sweep, whatever an agent left in the environment, and has every figure."""
    import wandb

    sweep_id = sweep.path.rpartition("/")[2]
    left = {"WANDB_SWEEP_ID": sweep_id, "WANDB_RUN_ID": "another", "WANDB_MODE": "offline"}
    done = run("report", sweep.path, "--log", "--json", env={**sweep.env, **left}, cwd=sweep.folder)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert not (sweep.folder / "wandb").exists()

    point_to(sweep.server)
    api: Any = wandb.Api()
    entity, project, _ = sweep.path.split("/")
    logged = [found for found in api.runs(f"{entity}/{project}") if found.job_type == "carbs-report"]
    assert [found.id for found in logged] == [told["logged"].rpartition("/")[2]]
    assert told["logged"] == f"{sweep.address.partition('/sweeps/')[0]}/runs/{logged[0].id}"
    assert (logged[0].state, logged[0].sweep) == ("finished", None)
    assert logged[0].id not in {found.id for found in api.sweep(sweep.path).runs}

    files = {file.name for file in logged[0].files()}
    summary = dict(logged[0].summary)
    assert {"frontier/objective", "progress/by cost", "dependence/learning_rate"} <= set(told["figures"])
    for name in told["figures"]:
        assert summary[name]["_type"] == "plotly-file"
        assert summary[name]["path"] in files
    for key, kind in (("carbs.report", "html-file"), ("frontier/objective", "plotly-file")):
        assert summary[key]["_type"] == kind
    with logged[0].file(summary["carbs.report"]["path"]).download(str(tmp_path)) as page:
        assert page.read() == (sweep.folder / "report.html").read_text(encoding="utf-8")
    with logged[0].file(summary["frontier/objective"]["path"]).download(str(tmp_path)) as panel:
        figure = json.load(panel)
    drawn = next(trace for trace in figure["data"] if trace.get("name") == "runs")
    assert len(drawn["x"]) == RUNS
    assert not re.search(r'"@[a-z-]+"', json.dumps(figure))


def test_server_prints_json_once_it_answers(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "wandb_carbs.cli", "server", "--json", "--port", "0", "--data-dir", "data"]
    with subprocess.Popen(arguments, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        with urllib.request.urlopen(told["address"], timeout=20) as reply:
            assert reply.status == 200
        server.send_signal(signal.SIGINT)
        out, err = server.communicate(timeout=30)
    assert (out, err, server.returncode) == ("", "", 0)
    assert told["data_dir"] == str(tmp_path / "data")
    assert told["api_key"] == (tmp_path / "data" / "api-key").read_text().strip()
    assert f"wandb-carbs, version {told['version']}" == run("--version").stdout.strip()


def test_create_prints_what_to_start(sweep: Sweep) -> None:
    created = sweep.json("create", str(ROOT / "examples" / "sweep.yaml"), "--json")
    assert isinstance(created, dict)
    path = f"your_wandb_entity/your_wandb_project/{created['id']}"
    assert created["agent"] == f"wandb-carbs agent {path}"
    assert created["address"].endswith(f"/sweeps/{created['id']}")
    status = sweep.json("status", path, "--json")
    assert isinstance(status, dict)
    assert status["runs"] == 0
    assert_fails(sweep.run("best", path), "no run")


METRIC_FILE = """\
name: x
project: p
entity: e
metric: {{{metric}}}
parameters:
  lr: {{space: log, min: 1e-5, max: 1e-1}}
"""


# The SDK's own Api() does what the SDK's own settings warn of.
@pytest.mark.filterwarnings("ignore:Read the `app_url` setting:DeprecationWarning")
def test_create_takes_the_metric_as_wandb_does(
    sweep: Sweep, point_to: Callable[[LocalServer], object], tmp_path: Path
) -> None:
    """It reaches W&B's sweep, and a name that is not the recorded objective's is explained."""
    import wandb

    path = tmp_path / "metric.yaml"
    path.write_text(METRIC_FILE.format(metric="name: val_loss, goal: minimize"))
    done = sweep.run("create", str(path), "--json")
    assert done.returncode == 0, done.stderr
    assert "'val_loss', which the program has to log" in done.stderr
    assert "carbs.objective" in done.stderr
    point_to(sweep.server)
    api: Any = wandb.Api()
    created = api.sweep(json.loads(done.stdout)["agent"].split()[-1])
    assert created.config["metric"] == {"name": "val_loss", "goal": "minimize"}
    assert SweepDefinition.from_json(created.config["description"]).config.better_direction_sign == -1


def test_unknown_sweep_is_an_error(sweep: Sweep) -> None:
    assert_fails(sweep.run("status", "demo/digits/nothing"), "demo/digits/nothing")


def test_wrong_key_is_an_error(sweep: Sweep) -> None:
    done = run("status", sweep.path, env={**sweep.env, "WANDB_API_KEY": "x" * 40})
    assert_fails(done, "API key")


def test_unreachable_server_is_an_error(tmp_path: Path) -> None:
    env = {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": "x" * 40, "WANDB_DIR": str(tmp_path)}
    assert_fails(run("status", "a/b/c", env=env), "cannot reach W&B at http://127.0.0.1:9")


def test_malformed_server_address_is_an_error(tmp_path: Path) -> None:
    env = {"WANDB_BASE_URL": "nonsense", "WANDB_API_KEY": "x" * 40, "WANDB_DIR": str(tmp_path)}
    assert_fails(run("status", "a/b/c", env=env), "WANDB_BASE_URL", "nonsense")


def test_taken_port_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for flags in ([], ["--json"]):
            assert_fails(run("server", "--port", port, "--data-dir", str(tmp_path), *flags), port)


@pytest.mark.parametrize("arguments", [["nonsense"], ["server", "--port", "99999"], ["demo", "--runs", "0"], ["best"]])
def test_wrong_usage_is_an_error(arguments: list[str]) -> None:
    assert_fails(run(*arguments), "Usage", code=2)


def test_version_is_the_package_s() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("wandb-carbs, version ")


def test_command_line_itself_imports_nothing_heavy() -> None:
    """Help answers at once; the package around the command line is replaced, since only its own imports matter."""
    program = (
        "import pathlib, sys, types\n"
        "package = types.ModuleType('wandb_carbs')\n"
        f"package.__path__ = [{str(ROOT / 'src' / 'wandb_carbs')!r}]\n"
        "sys.modules['wandb_carbs'] = package\n"
        "import wandb_carbs.cli\n"
        "print({'numpy', 'wandb', 'sklearn', 'matplotlib', 'uvicorn', 'rich'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "set()\n"


def test_missing_extra_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("raise ModuleNotFoundError('no sklearn', name='sklearn')")
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError('no uvicorn', name='uvicorn')")
    assert_fails(run("server", env={"PYTHONPATH": str(tmp_path)}), "pip install 'wandb-carbs[local]'")
    assert_fails(run("demo", env={"PYTHONPATH": str(tmp_path)}), "pip install 'wandb-carbs[")


def test_sweeps_are_named_by_path_or_address() -> None:
    assert parse_sweep("a/b/c", "https://api.wandb.ai") == "a/b/c"
    assert parse_sweep("https://wandb.ai/a/my%20b/sweeps/c?nw=x", "https://api.wandb.ai") == "a/my b/c"
    assert parse_sweep("http://127.0.0.1:8080/a/b/sweeps/c/", "http://127.0.0.1:8080") == "a/b/c"


@pytest.mark.parametrize(
    "name", ["", "a//b", "a/b/c/d", "http://127.0.0.1:9/a/b/sweeps/c", "http://127.0.0.1:8080/a/b", "http://["]
)
def test_what_names_no_sweep_is_an_error(name: str) -> None:
    with pytest.raises(click.UsageError):
        parse_sweep(name, "http://127.0.0.1:8080")
