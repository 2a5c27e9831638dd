"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const remove = ["lasso2d", "select2d", "autoScale2d"];

  const palettes = JSON.parse(document.querySelector("#palettes").textContent);

  // Figures name colours by their roles, "@frontier"; texts come escaped and never begin with one.
  function themed(value, palette) {
    if (typeof value === "string" && /^@[a-z-]+$/.test(value)) return palette[value.slice(1)];
    if (Array.isArray(value)) return value.map((item) => themed(item, palette));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, themed(item, palette)]));
    }
    return value;
  }

  function draw(box, palette, isPrinted = false) {
    const figure = themed(JSON.parse(box.querySelector("script").textContent), palette);
    if (isPrinted && box.closest(".grid")) figure.layout.height *= 0.8; // three rows to a page
    // The tool bar would hide a small figure's legend; there, dragging zooms and a double click resets.
    const config = {
      responsive: true,
      displaylogo: false,
      showSendToCloud: false,
      displayModeBar: !box.closest(".grid") && innerWidth >= 600,
      modeBarButtonsToRemove: remove,
    };
    Plotly.react(box.querySelector("div"), figure.data, figure.layout, config);
    box.dataset.drawn = "yes";
  }

  const current = () => (dark.matches ? palettes.dark : palettes.light);
  const boxes = [...document.querySelectorAll("figure[data-figure]")];
  // A sweep of many hyperparameters has more figures than a browser draws at once.
  const observer = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting && !entry.target.dataset.drawn) draw(entry.target, current());
      }
    },
    { rootMargin: "800px" },
  );
  boxes.forEach((box) => observer.observe(box));
  dark.addEventListener("change", () => {
    boxes.filter((box) => box.dataset.drawn).forEach((box) => draw(box, current()));
  });

  // Paper is light, and has room for every figure. A figure keeps the width that it is drawn with.
  addEventListener("beforeprint", () => {
    boxes.forEach((box) => draw(box, palettes.light, true));
  });
  addEventListener("afterprint", () => boxes.forEach((box) => draw(box, current())));

  const order = new Intl.Collator(undefined, { numeric: true });
  function sort(table, column) {
    const heads = [...table.tHead.rows[0].cells];
    const direction = heads[column].ariaSort === "ascending" ? -1 : 1;
    heads.forEach((head) => (head.ariaSort = "none"));
    heads[column].ariaSort = direction > 0 ? "ascending" : "descending";
    const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => direction * order.compare(key(a), key(b)));
    if (rows.some((row) => row.cells[column].classList.contains("number"))) {
      const number = (row) => (key(row) === "" ? direction * Infinity : Number(key(row)));
      rows.sort((a, b) => direction * (number(a) - number(b)) || 0);
    }
    table.tBodies[0].append(...rows);
  }

  for (const box of document.querySelectorAll(".table")) {
    const table = box.querySelector("table");
    const lines = [...table.tBodies[0].rows];
    table.querySelectorAll("th button").forEach((button, column) => {
      button.addEventListener("click", () => sort(table, column));
    });
    box.querySelector("input[type=search]").addEventListener("input", (event) => {
      const wanted = event.target.value.toLowerCase();
      lines.forEach((line) => (line.hidden = !line.textContent.toLowerCase().includes(wanted)));
      const number = lines.filter((line) => !line.hidden).length;
      box.querySelector("output").textContent = `${number} of ${lines.length} ${lines.length === 1 ? "line" : "lines"}`;
    });
    for (const choice of box.querySelectorAll("input[data-column]")) {
      choice.addEventListener("change", () => {
        for (const row of table.rows) row.cells[choice.dataset.column].hidden = !choice.checked;
      });
    }
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
