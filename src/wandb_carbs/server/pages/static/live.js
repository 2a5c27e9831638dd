// Keeps a page up to date: asks for it again every few seconds while it is looked at, and replaces the parts that are
// marked with data-live; the longer the server takes, the more seldom. A part that the visitor is using (focus, selection, ticked boxes) is left alone.
"use strict";
(() => {
  const SECONDS = 4;
  const label = document.getElementById("updated");
  let updated = Date.now();
  let busy = false;
  let pause = SECONDS * 1000;

  const used = (part) =>
    part.contains(document.activeElement) ||
    part.querySelector("input[type=checkbox]:checked") ||
    (getSelection() && !getSelection().isCollapsed && part.contains(getSelection().anchorNode));

  async function refresh() {
    if (document.hidden || busy) return;
    busy = true;
    const begin = performance.now();
    try {
      const reply = await fetch(location.pathname + location.search, { headers: { accept: "text/html" } });
      if (!reply.ok) throw new Error(`${reply.status}`);
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const version = (root) => (root.querySelector("[data-version]") || { dataset: {} }).dataset.version;
      const changed = version(page) !== version(document);
      for (const part of document.querySelectorAll("[data-live]")) {
        const next = page.querySelector(`[data-live="${part.dataset.live}"]`);
        if (next && !used(part) && next.innerHTML !== part.innerHTML) part.innerHTML = next.innerHTML;
        if (next && next.dataset.version) part.dataset.version = next.dataset.version;
      }
      if (changed) document.dispatchEvent(new CustomEvent("newdata"));
      updated = Date.now();
      label.classList.remove("failed");
    } catch {
      label.classList.add("failed");
    } finally {
      busy = false;
      pause = Math.max(SECONDS * 1000, 10 * (performance.now() - begin));
    }
  }

  function say() {
    const age = Math.round((Date.now() - updated) / 1000);
    label.textContent = label.classList.contains("failed")
      ? `the server does not answer; this is ${age} s old`
      : `updated ${age} s ago`;
  }

  if (document.querySelector("[data-live]")) {
    const again = () => setTimeout(() => refresh().then(again), pause);
    again();
    setInterval(say, 1000);
    document.addEventListener("visibilitychange", refresh);
    say();
  }

  document.addEventListener("click", (event) => {
    const copied = event.target.closest("[data-copy]");
    if (copied && navigator.clipboard) navigator.clipboard.writeText(copied.textContent);
  });
})();
