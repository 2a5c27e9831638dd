// Pauses, resumes and stops: the same GraphQL mutations as the SDK's, with the API key, which is asked for once.
"use strict";
(() => {
  const SWEEP = "mutation A($id: ID, $state: String) { upsertSweep(input: {id: $id, state: $state}) { sweep { state } } }";
  const RUN = "mutation A($id: ID!) { stopRun(input: {id: $id}) { success } }";

  async function act(kind, id, state) {
    const key = sessionStorage.getItem("api-key") || prompt("API key of this server");
    if (!key) return "nothing was changed";
    const reply = await fetch(`${document.documentElement.dataset.root}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Basic ${btoa(`api:${key}`)}` },
      body: JSON.stringify({ query: kind === "sweep" ? SWEEP : RUN, variables: { id: btoa(id), state } }),
    });
    const answer = await reply.json();
    if (reply.status === 401) sessionStorage.removeItem("api-key");
    if (!reply.ok || answer.errors) return answer.errors ? answer.errors[0].message : `error ${reply.status}`;
    sessionStorage.setItem("api-key", key);
    return "done";
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-actions] [data-state]");
    if (!button) return;
    const place = button.closest("[data-actions]");
    const { state } = button.dataset;
    if (["FINISHED", "CANCELED", "stop"].includes(state) && !confirm(`${button.textContent}?`)) return;
    const said = place.querySelector("[role=status]");
    said.textContent = "…";
    said.textContent = await act(place.dataset.actions, place.dataset.id, state).catch(String);
    if (said.textContent === "done") location.reload();
  });
})();
