// Keeps a page up to date: asks for it again every few seconds while it is looked at, and replaces the parts that are
// marked with data-live and that the server now writes differently; the longer the server takes, the more seldom. A part
// that the visitor is using (focus, selection, changed fields) is left alone until it is let go.
"use strict";
(() => {
  const SECONDS = 4;
  const label = document.getElementById("updated");
  const served = new Map(); // part -> what the server wrote last; programs may have drawn into it since
  let updated = Date.now();
  let busy = false;
  let pause = SECONDS * 1000;

  const isChanged = (field) =>
    field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue;
  const isUsed = (part) =>
    part.contains(document.activeElement) ||
    part.querySelector("form details[open]") ||
    [...part.querySelectorAll("input")].some(isChanged) ||
    (getSelection() && !getSelection().isCollapsed && part.contains(getSelection().anchorNode));

  function replace(part, next) {
    if (!next || next.innerHTML === served.get(part) || isUsed(part)) return;
    served.set(part, next.innerHTML);
    const chosen = part.value; // of a list of choices
    part.innerHTML = next.innerHTML;
    if (chosen) part.value = chosen;
    document.dispatchEvent(new CustomEvent("replaced", { detail: part }));
  }

  async function refresh() {
    if (document.hidden || busy) return;
    busy = true;
    const begin = performance.now();
    try {
      const reply = await fetch(location.pathname + location.search, { headers: { accept: "text/html" } });
      if (!reply.ok) throw new Error(`${reply.status}`);
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const [own, theirs] = [document, page].map((root) => root.querySelector("[data-version]"));
      const isNew = own && theirs && own.dataset.version !== theirs.dataset.version;
      for (const part of document.querySelectorAll("[data-live]"))
        replace(part, page.querySelector(`[data-live="${part.dataset.live}"]`));
      if (isNew) {
        own.dataset.version = theirs.dataset.version;
        document.dispatchEvent(new CustomEvent("newdata"));
      }
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

  const parts = document.querySelectorAll("[data-live]");
  if (parts.length) {
    for (const part of parts) served.set(part, part.innerHTML);
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
