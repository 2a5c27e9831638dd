// Draws the charts of a page: the figures of a sweep, a line chart for every logged key, plots, tables and the output.
// Every text of a user goes into the page as text, and into plotly escaped: nothing of it can be markup.
"use strict";
(() => {
  const AXIS = { gridcolor: "@grid", zeroline: false, automargin: true };
  const ROWS = 100; // of a table
  const drawn = new Map(); // element -> figure, to draw again in another theme
  const palette = ["@frontier", "@high", "@law", "@low", "@failed", "@run"];

  const escape = (text) => String(text).replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]);

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  async function ask(address) {
    const reply = await fetch(address);
    if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
    return reply.json();
  }

  // Colours

  const probe = element("span", undefined, { hidden: "" });
  document.body.append(probe);
  function color(role) {
    probe.style.color = `var(--${role})`;
    return getComputedStyle(probe).color;
  }
  function themed(value) {
    if (typeof value === "string" && /^@[a-z-]+$/.test(value)) return color(value.slice(1));
    if (Array.isArray(value)) return value.length > 500 ? value : value.map(themed);
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, themed(item)]));
    return value;
  }

  // Plotly

  function draw(place, figure) {
    for (const gone of [...drawn.keys()].filter((other) => !other.isConnected)) {
      Plotly.purge(gone); // it would listen to the window for ever
      drawn.delete(gone);
    }
    drawn.set(place, figure);
    if (figure.min_width) place.style.minWidth = `${figure.min_width}px`;
    const layout = themed(figure.layout);
    layout.uirevision = layout.uirevision || "kept"; // news leave alone what the visitor has zoomed into
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: color("run"), activecolor: color("text") };
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: color("panel"), font: { color: color("text") } };
    return Plotly.react(place, themed(figure.data), layout, {
      displaylogo: false,
      showSendToCloud: false,
      displayModeBar: figure.layout.height > 300 && innerWidth > 640 ? "hover" : false,
      responsive: true,
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"],
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const [place, figure] of [...drawn]) if (place.isConnected) draw(place, figure);
  });

  function smallFigure(traces, x, more = {}) {
    return {
      data: traces,
      layout: {
        xaxis: { ...AXIS, title: { text: escape(x), standoff: 4 } },
        yaxis: { ...AXIS, ...more.yaxis },
        margin: { l: 48, r: 10, t: 6, b: 38 },
        height: more.height || 230,
        paper_bgcolor: "rgba(0,0,0,0)",
        plot_bgcolor: "rgba(0,0,0,0)",
        font: { color: "@text", family: "system-ui, sans-serif", size: 11 },
        showlegend: Boolean(more.legend),
        legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
        hovermode: more.hovermode || "x",
        uirevision: more.revision,
      },
    };
  }

  // Only what is looked at is drawn.
  const waiting = new WeakMap();
  const watcher = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        const make = waiting.get(entry.target);
        waiting.delete(entry.target);
        watcher.unobserve(entry.target);
        if (make) draw(entry.target, make());
      }
    },
    { rootMargin: "300px" },
  );
  function drawWhenSeen(place, make) {
    if (drawn.has(place)) draw(place, make());
    else {
      waiting.set(place, make);
      watcher.observe(place);
    }
  }

  // The figures of a sweep

  async function showFigures(root) {
    const found = await ask(root.dataset.figures);
    const places = [...root.querySelectorAll("[data-figure]")].filter((place) => place.closest("[data-figures]") === root);
    for (const place of places) {
      const figure = found[place.dataset.figure];
      const points = figure && figure.data && figure.data.some((trace) => trace.x && trace.x.length);
      if (!points) {
        place.replaceChildren(element("p", (figure && figure.note) || "Nothing to show yet.", { class: "soft" }));
        continue;
      }
      let target = place.querySelector(":scope > .plot");
      if (!target) place.replaceChildren((target = element("div", undefined, { class: "plot" })));
      await draw(target, figure);
      let note = place.querySelector(":scope > p");
      if (figure.note && !note) place.append((note = element("p", undefined, { class: "soft" })));
      if (note) note.textContent = figure.note || "";
      if (!target.dataset.linked) {
        target.dataset.linked = "yes";
        target.on("plotly_click", (event) => {
          const name = event.points[0].customdata;
          if (typeof name === "string") location.href = `${root.dataset.runs}/${encodeURIComponent(name)}`;
        });
      }
    }
  }

  // A line chart for every key

  function tree(keys) {
    const root = { charts: [], groups: new Map() };
    for (const key of keys) {
      const parts = key.split(/[/.]/).filter(Boolean); // a disk is named "/": system.disk./.usagePercent
      let node = root;
      for (const part of parts.slice(0, -1)) {
        if (!node.groups.has(part)) node.groups.set(part, { charts: [], groups: new Map() });
        node = node.groups.get(part);
      }
      node.charts.push(key);
    }
    return root;
  }

  function pairs(series, key, x) {
    const own = series[key];
    if (x === "step" || x === "time") return [own[x], own.value];
    const at = new Map((series[x] || { step: [] }).step.map((step, place) => [step, series[x].value[place]]));
    const held = own.step.map((step, place) => [at.get(step), own.value[place]]).filter(([value]) => value !== undefined);
    return [held.map(([value]) => value), held.map(([, value]) => value)];
  }

  async function showCharts(root) {
    const state = (root.state = root.state || { x: "step", log: false, search: "", panels: new Map() });
    // One source is a run; several are runs to compare.
    const sources = root.dataset.charts
      ? [["", root.dataset.charts]]
      : [...root.querySelectorAll("[data-source]")].map((part) => [part.dataset.run, part.dataset.source]);
    state.sources = state.sources || sources;
    state.found = await Promise.all(state.sources.map(async ([name, source]) => [name, (await ask(source)).series]));
    const keys = [...new Set(state.found.flatMap(([, series]) => Object.keys(series)))].sort();
    if (!keys.length) {
      root.replaceChildren(element("p", "Nothing is logged yet.", { class: "soft" }));
      return;
    }
    if (String(keys) !== String(state.keys)) {
      state.keys = keys;
      build(root, state);
    }
    redraw(state);
  }

  function build(root, state) {
    const bar = element("div", undefined, { class: "bar" });
    const choose = element("select");
    for (const [value, text] of [["step", "step"], ["time", "seconds"], ...state.keys.map((key) => [key, key])])
      choose.append(element("option", text, { value }));
    choose.value = state.x;
    choose.addEventListener("change", () => {
      state.x = choose.value;
      redraw(state);
    });
    const log = element("input", undefined, { type: "checkbox" });
    log.checked = state.log;
    log.addEventListener("change", () => {
      state.log = log.checked;
      redraw(state);
    });
    const search = element("input", undefined, { type: "search", placeholder: "name of a key" });
    search.addEventListener("input", () => {
      for (const [key, panel] of state.panels) panel.hidden = !key.toLowerCase().includes(search.value.toLowerCase());
      for (const group of [...root.querySelectorAll(".group")].reverse())
        group.hidden = !group.querySelector(".panel:not([hidden])");
    });
    const labelled = (text, input) => {
      const made = element("label", `${text} `);
      made.append(input);
      return made;
    };
    bar.append(labelled("x", choose), labelled("log y", log), labelled("Search", search));
    bar.append(element("span", state.keys.length === 1 ? "1 key" : `${state.keys.length} keys`, { class: "soft" }));
    state.panels.clear();
    root.replaceChildren(bar, ...group(tree(state.keys), state));
  }

  function group(node, state) {
    const made = [];
    if (node.charts.length) {
      const grid = element("div", undefined, { class: "grid" });
      for (const key of node.charts) {
        const panel = element("div", undefined, { class: "panel" });
        const chart = element("div", undefined, { class: "chart", role: "img", "aria-label": `chart of ${key}` });
        panel.append(element("h3", key), chart);
        panel.chart = chart;
        state.panels.set(key, panel);
        grid.append(panel);
      }
      made.push(grid);
    }
    for (const [name, below] of node.groups) {
      const details = element("details", undefined, { class: "group", open: "" });
      details.append(element("summary", name), ...group(below, state));
      made.push(details);
    }
    return made;
  }

  // Plotly shows a constant between one less and one more, where a small one looks like zero.
  function around(traces) {
    const value = traces.length && traces[0].y[0];
    if (!value || traces.some((trace) => trace.y.some((other) => other !== value))) return {};
    return { range: [value - Math.abs(value), value + Math.abs(value)] };
  }

  function redraw(state) {
    for (const [key, panel] of state.panels)
      drawWhenSeen(panel.chart, () => {
        const several = state.found.length > 1;
        const traces = state.found
          .filter(([, series]) => series[key])
          .map(([name, series], place) => {
            const [x, y] = pairs(series, key, state.x);
            const lone = x.length < 2 || (state.x !== "step" && state.x !== "time");
            return {
              x,
              y,
              name: escape(name),
              mode: lone ? "markers" : x.length <= 40 ? "lines+markers" : "lines",
              line: { color: palette[several ? place % palette.length : 0], width: 1.5 },
              marker: { size: 4, color: palette[several ? place % palette.length : 0] },
              hovertemplate: several ? "%{y:.6g}" : "%{y:.6g}<extra></extra>",
            };
          });
        const x = state.x === "time" ? "seconds" : state.x;
        const yaxis = state.log ? { type: "log" } : around(traces);
        return smallFigure(traces, x, { legend: several, yaxis, revision: `${state.x} ${state.log}` });
      });
  }

  // One metric of all runs

  // The range of the values without those far off, if there are any: beside 1e196 all other runs are one line.
  function rangeOfMost(values) {
    const middle = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
    const all = values.filter(Number.isFinite);
    const center = middle(all);
    const reach = 1e4 * middle(all.map((value) => Math.abs(value - center)));
    const most = all.filter((value) => Math.abs(value - center) <= reach);
    if (!reach || most.length === all.length) return undefined;
    const [low, high] = most.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [center, center]);
    return [low - 0.05 * (high - low), high + 0.05 * (high - low)];
  }

  async function showOverlay(choose) {
    const section = choose.closest("section");
    const x = section.querySelector("[data-overlay-x]").value;
    const place = section.querySelector("[data-overlay-figure]");
    if (!choose.value) {
      place.replaceChildren(element("p", "Nothing is logged yet.", { class: "soft" }));
      return;
    }
    const found = await ask(`${choose.dataset.overlay}?key=${encodeURIComponent(choose.value)}`);
    const traces = found.runs.map((run, number) => ({
      x: run[x],
      y: run.value,
      name: escape(run.title),
      mode: run.value.length > 1 ? "lines" : "markers",
      line: { color: palette[number % palette.length], width: 1 },
      marker: { color: palette[number % palette.length] },
      opacity: 0.7,
      hovertemplate: `${escape(run.title)}: %{y:.5g}<extra></extra>`,
    }));
    const range = rangeOfMost(found.runs.flatMap((run) => run.value));
    const more = { height: 340, hovermode: "closest", revision: `${choose.value} ${x}`, yaxis: range && { range } };
    const figure = smallFigure(traces, x === "time" ? "seconds" : "step", more);
    let target = place.querySelector(".plot");
    if (!target) place.append((target = element("div", undefined, { class: "plot" })));
    await draw(target, figure);
    let note = place.querySelector("p");
    if (!note) place.append((note = element("p", undefined, { class: "soft" })));
    const notes = [
      found.left_out && `The newest ${found.runs.length} runs; ${found.left_out} older ones are left out.`,
      range && "Values far off are out of sight: a double click shows them.",
    ];
    note.textContent = notes.filter(Boolean).join(" ");
  }

  // Media

  async function showTable(place) {
    const table = await ask(place.dataset.table);
    const columns = table.columns || [];
    const rows = table.data || [];
    if (place.dataset.plot) showPlot(place, JSON.parse(place.dataset.plot), columns, rows);
    const made = element("table");
    const head = element("tr");
    head.append(...columns.map((name) => element("th", name, { scope: "col" })));
    const body = rows.slice(0, ROWS).map((row) => {
      const line = element("tr");
      line.append(...row.map((cell) => element("td", cell && typeof cell === "object" ? JSON.stringify(cell).slice(0, 80) : cell)));
      return line;
    });
    made.append(head, ...body);
    place.append(made);
    if (rows.length > ROWS) place.append(element("p", `The first ${ROWS} of ${rows.length} rows.`, { class: "soft" }));
  }

  function showPlot(place, plot, columns, rows) {
    const fields = plot.fields || {};
    const column = (name) => {
      const position = columns.indexOf(name);
      return position < 0 ? undefined : rows.map((row) => row[position]);
    };
    const [x, y] = [column(fields.x || fields.label), column(fields.y || fields.value)];
    const kind = plot.kind;
    let traces = [];
    if (/histogram/.test(kind)) traces = [{ type: "histogram", x: column(fields.value), marker: { color: "@frontier" } }];
    else if (!x || !y) return;
    else if (/bar/.test(kind)) traces = [{ type: "bar", x, y, marker: { color: "@frontier" } }];
    else {
      const lines = column(fields.stroke || fields.lineKey || fields.class) || rows.map(() => "");
      const mode = /scatter/.test(kind) ? "markers" : "lines";
      traces = [...new Set(lines)].map((name, number) => {
        const own = rows.map((_, place) => place).filter((place) => lines[place] === name);
        const shade = palette[number % palette.length];
        return { x: own.map((i) => x[i]), y: own.map((i) => y[i]), mode, name: escape(name), line: { color: shade }, marker: { color: shade } };
      });
    }
    const chart = element("div", undefined, { class: "chart" });
    place.append(chart);
    drawWhenSeen(chart, () => smallFigure(traces, fields.x || "", { legend: traces.length > 1, hovermode: "closest" }));
  }

  function showHistogram(place) {
    const found = JSON.parse(place.dataset.histogram);
    const packed = found.packedBins;
    const edges = packed ? found.values.map((_, i) => packed.min + i * packed.size) : found.bins;
    const x = found.values.map((_, i) => (packed ? edges[i] + packed.size / 2 : (edges[i] + edges[i + 1]) / 2));
    drawWhenSeen(place, () => smallFigure([{ type: "bar", x, y: found.values, marker: { color: "@frontier" } }], ""));
  }

  // A logged figure looks as its program made it, but fits the page; plotly itself takes no more than simple markup.
  async function showPlotly(place) {
    const { data, layout } = await ask(place.dataset.plotly);
    if (!Array.isArray(data)) throw new Error("this is no figure");
    const size = { autosize: true, width: undefined, height: 320 };
    drawWhenSeen(place, () => ({ data, layout: { ...layout, ...size } }));
  }

  // The output

  const ANSI = /\u001b\[([0-9;]*)([A-Za-z])/g;
  function coloured(text, search) {
    const made = element("span");
    let [last, classes] = [0, new Set()];
    const add = (part) => {
      if (!part) return;
      const span = element("span", undefined, classes.size ? { class: [...classes].join(" ") } : {});
      const place = search ? part.toLowerCase().indexOf(search) : -1;
      if (place < 0) span.textContent = part;
      else span.append(part.slice(0, place), element("mark", part.slice(place, place + search.length)), part.slice(place + search.length));
      made.append(span);
    };
    for (const match of text.matchAll(ANSI)) {
      add(text.slice(last, match.index));
      last = match.index + match[0].length;
      if (match[2] !== "m") continue;
      for (const code of match[1].split(";")) {
        if (code === "" || code === "0") classes.clear();
        else if (code === "1") classes.add("ansi-bold");
        else if (/^(3|9)[0-7]$/.test(code)) {
          for (const name of [...classes]) if (name !== "ansi-bold") classes.delete(name);
          classes.add(`ansi-${code}`);
        }
      }
    }
    add(text.slice(last));
    return made;
  }

  async function showConsole(place) {
    if (!place.found || place.asked !== place.version) {
      place.found = await ask(place.dataset.console);
      place.asked = place.version;
    }
    const search = document.querySelector("[data-console-search]").value.toLowerCase();
    const atEnd = place.scrollHeight - place.scrollTop - place.clientHeight < 40;
    const lines = place.found.lines.filter((line) => line.line.toLowerCase().includes(search));
    if (place.found.total)
      place.replaceChildren(
        ...lines.map((line) => {
          const row = element("div", undefined, line.level === "error" ? { class: "error" } : {});
          if (line.timestamp) row.append(element("span", `${line.timestamp.slice(11, 19)} `, { class: "time" }));
          row.append(coloured(line.line, search));
          return row;
        }),
      );
    const { total } = place.found;
    const held = place.found.lines.length;
    const all = total === 1 ? "1 line" : `${total} lines`;
    document.querySelector("[data-console-count]").textContent =
      (search ? `${lines.length} of the ` : "") + (total > held ? `last ${held} of ${all}` : all);
    if (atEnd) place.scrollTop = place.scrollHeight;
  }

  // The page

  const say = (place) => (error) => {
    if (!place.querySelector(".panel, .plot")) place.replaceChildren(element("p", error.message, { class: "failed" }));
  };
  const each = (selector, show, root = document) => {
    for (const place of root.querySelectorAll(selector)) Promise.resolve(show(place)).catch(say(place));
  };
  function showChanging() {
    each("[data-figures]", showFigures);
    each("[data-charts], [data-compare]", showCharts);
    each("select[data-overlay]", showOverlay);
    each("[data-console]", showConsole);
  }
  document.addEventListener("newdata", () => {
    for (const place of document.querySelectorAll("[data-console]")) place.version = Date.now();
    showChanging();
  });
  for (const choose of document.querySelectorAll("[data-overlay], [data-overlay-x]"))
    choose.addEventListener("change", () => each("select[data-overlay]", showOverlay));
  const search = document.querySelector("[data-console-search]");
  if (search) search.addEventListener("input", () => each("[data-console]", showConsole));
  function showMedia(root) {
    each("[data-table]", showTable, root);
    each("[data-histogram]", showHistogram, root);
    each("[data-plotly]", showPlotly, root);
  }
  document.addEventListener("replaced", (event) => showMedia(event.detail));
  showChanging();
  showMedia(document);
})();
