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
  function sorted(lines, column, direction) {
    const keys = new Map(lines.map((line) => [line, line.cells[column].dataset.value ?? line.cells[column].textContent]));
    const made = [...lines].sort((a, b) => direction * order.compare(keys.get(a), keys.get(b)));
    if (!lines.some((line) => line.cells[column].classList.contains("number"))) return made;
    const number = (line) => (keys.get(line) === "" ? direction * Infinity : Number(keys.get(line)));
    return made.sort((a, b) => direction * (number(a) - number(b)) || 0);
  }

  // A browser takes seconds to lay out thousands of lines, or to move them: the page has so many at first, and more as
  // one scrolls.
  const step = 100;
  for (const box of document.querySelectorAll(".table")) {
    const table = box.querySelector("table");
    const body = table.tBodies[0];
    const scroll = box.querySelector(".scroll");
    const heads = [...table.tHead.rows[0].cells];
    let lines = [...body.rows];
    let found = lines;
    const show = (number) => body.replaceChildren(...found.slice(0, number));
    const start = () => {
      scroll.scrollTop = 0;
      show(step);
    };
    show(step);
    scroll.addEventListener("scroll", () => {
      if (scroll.scrollTop + 2 * scroll.clientHeight < scroll.scrollHeight) return;
      const shown = body.rows.length;
      body.append(...found.slice(shown, shown + step));
    });
    let before = step;
    addEventListener("beforeprint", () => {
      before = body.rows.length;
      show(found.length);
    });
    addEventListener("afterprint", () => show(before));
    table.querySelectorAll("th button").forEach((button, column) => {
      button.addEventListener("click", () => {
        const direction = heads[column].ariaSort === "ascending" ? -1 : 1;
        heads.forEach((head) => (head.ariaSort = "none"));
        heads[column].ariaSort = direction > 0 ? "ascending" : "descending";
        const chosen = new Set(found);
        lines = sorted(lines, column, direction);
        found = lines.filter((line) => chosen.has(line));
        start();
      });
    });
    box.querySelector("input[type=search]").addEventListener("input", (event) => {
      const wanted = event.target.value.toLowerCase();
      found = lines.filter((line) => line.textContent.toLowerCase().includes(wanted));
      start();
      box.querySelector("output").textContent =
        `${found.length} of ${lines.length} ${lines.length === 1 ? "line" : "lines"}`;
    });
    for (const choice of box.querySelectorAll("input[data-column]")) {
      choice.addEventListener("change", () => {
        for (const row of [table.tHead.rows[0], ...lines]) row.cells[choice.dataset.column].hidden = !choice.checked;
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
