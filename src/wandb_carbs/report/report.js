"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remove = ["lasso2d", "select2d", "autoScale2d"];

  // Figures name colours by their roles, "@frontier"; texts come escaped and never begin with one.
  function themed(value, style) {
    if (typeof value === "string" && /^@[a-z-]+$/.test(value)) {
      return style.getPropertyValue("--" + value.slice(1)).trim();
    }
    if (Array.isArray(value)) return value.map((item) => themed(item, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, themed(item, style)]));
    }
    return value;
  }

  function draw(box) {
    const source = JSON.parse(box.querySelector("script").textContent);
    const figure = themed(source, getComputedStyle(document.documentElement));
    // The tool bar would hide a small figure's legend; there, dragging zooms and a double click resets.
    const config = {
      responsive: true,
      displaylogo: false,
      displayModeBar: !box.closest(".grid"),
      modeBarButtonsToRemove: remove,
    };
    Plotly.react(box.querySelector("div"), figure.data, figure.layout, config);
    box.dataset.drawn = "yes";
  }

  const boxes = [...document.querySelectorAll("figure[data-figure]")];
  // A sweep of many hyperparameters has more figures than a browser draws at once.
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting && !entry.target.dataset.drawn) draw(entry.target);
      }
    },
    { rootMargin: "800px" },
  );
  boxes.forEach((box) => observer.observe(box));
  dark.addEventListener("change", () => boxes.filter((box) => box.dataset.drawn).forEach(draw));

  function sort(table, column) {
    const direction = table.dataset.sorted === `${column}` ? -1 : 1;
    table.dataset.sorted = direction > 0 ? `${column}` : "";
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => direction * key(a).localeCompare(key(b), undefined, { numeric: true }));
    if (rows.some((row) => row.cells[column].classList.contains("number"))) {
      const number = (row) => (key(row) === "" ? Infinity : Number(key(row)));
      rows.sort((a, b) => direction * (number(a) - number(b)) || 0);
    }
    table.tBodies[0].append(...rows);
  }
  for (const table of document.querySelectorAll("table.sortable")) {
    table.querySelectorAll("th button").forEach((button, column) => {
      button.addEventListener("click", () => sort(table, column));
    });
  }

  document.querySelector("#copy")?.addEventListener("click", async (event) => {
    const text = document.querySelector("#best-configurations");
    try {
      await navigator.clipboard.writeText(text.textContent);
      event.target.textContent = "Copied";
    } catch {
      // Not every browser lets a local file write to the clipboard: leave it selected.
      getSelection().selectAllChildren(text);
    }
  });
})();
