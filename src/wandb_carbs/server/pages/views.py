"""The web pages: projects, a project, a sweep, a run."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from wandb_carbs.server.errors import RequestError
from wandb_carbs.server.pages.frontier import RunRow, chart, pareto_frontier, read_run
from wandb_carbs.server.store import run_states, runs, streams
from wandb_carbs.server.store.database import timestamp
from wandb_carbs.server.store.projects import find_project
from wandb_carbs.server.store.queries import select_runs
from wandb_carbs.server.sweeps.config import stored_config

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from wandb_carbs.server.store.database import Store
    from wandb_carbs.server.store.files import RunFiles

_MAX_ROWS = 2000
_MAX_COLUMNS = 24
_MAX_LOG_LINES = 200

_STYLE = """
:root{color-scheme:light dark;--bg:light-dark(#fbfbfa,#14161a);--card:light-dark(#fff,#1c1f25);
--ink:light-dark(#1d2129,#e4e6ea);--soft:light-dark(#667085,#98a0ad);--line:light-dark(#e4e6ea,#2d323b);
--accent:light-dark(#b7791f,#f0b429);--run:light-dark(#8fa3bf,#5b7496)}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:14px/1.5 system-ui,sans-serif}
main{max-width:1200px;margin:0 auto;padding:20px}nav{font-size:13px;color:var(--soft)}
a{color:inherit;text-decoration-color:var(--accent);text-underline-offset:3px}
h1{font-size:22px;margin:6px 0 14px}h2{font-size:15px;margin:0 0 10px}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin:0 0 16px;
overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:5px 12px 5px 8px;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:500;font-size:12px}tr:last-child td{border-bottom:0}
tr.best td:first-child{box-shadow:inset 3px 0 var(--accent)}
.tag{font-size:12px;padding:1px 8px;border-radius:9px;border:1px solid var(--line);color:var(--soft)}
.finished,.success,.RUNNING,.running{color:light-dark(#17803d,#4ade80)}
.failed,.failure,.crashed,.CANCELED{color:light-dark(#b42318,#f87171)}
.killed,.preempted,.preempting,.abandoned,.PAUSED{color:light-dark(#b54708,#fbbf24)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:0}dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12.5px}
.soft{color:var(--soft)}svg{width:100%;max-width:900px;height:auto;display:block}
svg text{fill:var(--soft);font-size:11px}svg .axis{font-size:12px}.grid{stroke:var(--line)}
.run{fill:var(--run);fill-opacity:.75}circle.best{fill:var(--accent)}
.frontier{fill:none;stroke:var(--accent);stroke-width:1.5;stroke-opacity:.8}
"""


class Pages:
    """Renders the pages.

    Args:
        store: The storage.
        files: The runs' files.
    """

    def __init__(self, store: Store, files: RunFiles) -> None:
        self._store = store
        self._files = files

    def home(self) -> str:
        """Return the list of projects."""
        with self._store.reading() as db:
            rows = db.execute(
                """SELECT entity, name,
                   (SELECT count(*) FROM runs WHERE project_id = projects.id) AS runs,
                   (SELECT count(*) FROM sweeps WHERE project_id = projects.id) AS sweeps
                   FROM projects ORDER BY entity, name"""
            ).fetchall()
        body = [[_link(f"{r['entity']}/{r['name']}", r["entity"], r["name"]), r["sweeps"], r["runs"]] for r in rows]
        return _page("Projects", [], [_card("Projects", _table(["project", "sweeps", "runs"], body))])

    def project(self, entity: str, name: str) -> str:
        """Return a project's sweeps and runs.

        Raises:
            RequestError: There is no such project (404).
        """
        run_states.expire(self._store)
        with self._store.reading() as db:
            project = _required(find_project(db, entity, name), f"project {entity}/{name}")
            found = db.execute(
                """SELECT *, (SELECT count(*) FROM runs WHERE sweep_id = sweeps.id) AS runs
                   FROM sweeps WHERE project_id = ? ORDER BY id DESC""",
                (project["id"],),
            ).fetchall()
            rows = [read_run(row, None) for row in select_runs(db, project["id"], first=_MAX_ROWS).rows]
        body = [
            [_link(_title(s), entity, name, "sweeps", s["name"]), _tag(s["state"]), s["runs"], _time(s["created_at"])]
            for s in found
        ]
        cards = [_card("Sweeps", _table(["sweep", "state", "runs", "created"], body))] if found else []
        return _page(name, [(entity, None)], [*cards, _runs_card(entity, name, rows, ())])

    def sweep(self, entity: str, project_name: str, name: str) -> str:
        """Return a sweep's frontier, runs and configuration.

        Raises:
            RequestError: There is no such sweep (404).
        """
        run_states.expire(self._store)
        with self._store.reading() as db:
            project = _required(find_project(db, entity, project_name), f"project {entity}/{project_name}")
            sweep = _required(
                db.execute("SELECT * FROM sweeps WHERE project_id = ? AND name = ?", (project["id"], name)).fetchone(),
                f"sweep {name}",
            )
            config = stored_config(sweep["config"])
            metric = config.get("metric") or {}
            found = select_runs(db, project["id"], json.dumps({"sweep": name}), first=_MAX_ROWS).rows
        rows = [read_run(row, metric.get("name")) for row in found]
        frontier = pareto_frontier(rows, maximize=metric.get("goal") == "maximize")
        carbs = any(row.carbs_state for row in rows)
        drawing = chart(rows, frontier, str(metric.get("name") or "objective"), "cost" if carbs else "run time, s")
        alive = sum(row.state in run_states.ALIVE for row in rows)
        facts = [
            f"{_tag(sweep['state'])} &ensp;{len(rows)} runs, {alive} running, {len(frontier)} on the frontier",
        ]
        cards = [
            _card("", "".join(facts)),
            _card("Pareto frontier", drawing or '<p class="soft">No run has an objective and a cost yet.</p>'),
            _runs_card(entity, project_name, rows, frontier),
            _card("Configuration", f"<pre>{escape(sweep['config'])}</pre>"),
        ]
        return _page(_title(sweep), [(entity, None), (project_name, (entity, project_name))], cards)

    def run(self, entity: str, project_name: str, name: str) -> str:
        """Return a run's parameters, summary, files and output.

        Raises:
            RequestError: There is no such run (404).
        """
        run_states.expire(self._store)
        with self._store.reading() as db:
            row = _required(runs.find(db, entity, project_name, name), f"run {name}")
            sweep = db.execute("SELECT * FROM sweeps WHERE id = ?", (row["sweep_id"],)).fetchone()
            output = streams.lines(db, row["id"], runs.OUTPUT)[-_MAX_LOG_LINES:]
            files = self._files.nodes(db, row["id"], "")
        run = read_run(row, None)
        facts: list[tuple[str, str]] = [
            ("state", _tag(run.state) + (f" exit code {row['exit_code']}" if row["exit_code"] else "")),
            ("id", escape(run.name)),
            ("created", _time(row["created_at"])),
            ("heartbeat", _time(row["heartbeat_at"])),
        ]
        if sweep is not None:
            facts.insert(1, ("sweep", _link(_title(sweep), entity, project_name, "sweeps", sweep["name"])))
        cards = [
            _card("", _facts(facts)),
            _card("Config", _values(run.config)),
            _card("Summary", _values(json.loads(row["summary"]))),
        ]
        if files:
            links = [[f'<a href="{escape(f["url"])}">{escape(f["name"])}</a>', f["sizeBytes"]] for f in files]
            cards.append(_card("Files", _table(["file", "bytes"], links)))
        if output:
            cards.append(_card("Output", f"<pre>{escape(chr(10).join(output))}</pre>"))
        return _page(run.title, [(entity, None), (project_name, (entity, project_name))], cards)


def error_page(message: str) -> str:
    """Return the page that tells a visitor what is wrong."""
    return _page("Not here", [], [_card("", f"<p>{escape(message)}</p>")])


def _required(row: sqlite3.Row | None, what: str) -> sqlite3.Row:
    if row is None:
        raise RequestError(f"there is no {what} on this server", 404)
    return row


def _title(sweep: sqlite3.Row) -> str:
    config = stored_config(sweep["config"])
    return str(sweep["display_name"] or config.get("name") or sweep["name"])


def _page(title: str, trail: Sequence[tuple[str, tuple[str, ...] | None]], cards: Iterable[str]) -> str:
    crumbs = ['<a href="/">wandb-carbs</a>']
    crumbs += [escape(text) if parts is None else _link(text, *parts) for text, parts in trail]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} · wandb-carbs</title><style>{_STYLE}</style></head><body><main>"
        f"<nav>{' / '.join(crumbs)}</nav><h1>{escape(title)}</h1>{''.join(cards)}</main></body></html>"
    )


def _card(title: str, body: str) -> str:
    heading = f"<h2>{escape(title)}</h2>" if title else ""
    return f"<section>{heading}{body}</section>"


def _link(text: str, *parts: str) -> str:
    address = "/" + "/".join(quote(part, safe="") for part in parts)
    return f'<a href="{escape(address)}">{escape(text)}</a>'


def _tag(state: str) -> str:
    return f'<span class="tag {escape(state)}">{escape(state)}</span>' if state else ""


def _time(microseconds: int) -> str:
    return timestamp(microseconds)[:19].replace("T", " ")


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]], classes: Sequence[str] = ()) -> str:
    """Return a table; its cells are HTML already, its column titles are text."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f'<tr class="{classes[place] if classes else ""}">' + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>"
        for place, row in enumerate(rows)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in facts) + "</dl>"


def _values(values: dict[str, Any]) -> str:
    if not values:
        return '<span class="soft">empty</span>'
    return _facts((key, escape(_text(value))) for key, value in sorted(values.items()))


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)


def _runs_card(entity: str, project: str, rows: Sequence[RunRow], frontier: Sequence[RunRow]) -> str:
    if not rows:
        return _card("Runs", '<span class="soft">None yet.</span>')
    keys = list(dict.fromkeys(key for row in rows for key in row.config))[:_MAX_COLUMNS]
    best = {row.name for row in frontier}
    body = [
        [
            _link(row.title, entity, project, "runs", row.name),
            _tag(row.state),
            _tag(row.carbs_state),
            "" if row.objective is None else f"{row.objective:.6g}",
            "" if row.cost is None else f"{row.cost:.6g}",
            *(escape(_text(row.config[key])[:60]) if key in row.config else "" for key in keys),
            _time(row.created_at),
        ]
        for row in rows
    ]
    classes = ["best" if row.name in best else "" for row in rows]
    columns = ["run", "state", "carbs.state", "objective", "cost", *keys, "created"]
    return _card("Runs", _table(columns, body, classes))
