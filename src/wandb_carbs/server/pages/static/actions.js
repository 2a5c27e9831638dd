// Pauses, resumes, stops and deletes: GraphQL mutations with the API key, which is asked for once. The server takes them
// from its own pages only.
"use strict";
(() => {
  const MUTATIONS = {
    sweep: "mutation A($id: ID, $state: String) { upsertSweep(input: {id: $id, state: $state}) { sweep { state } } }",
    "sweep delete": "mutation A($id: ID!) { deleteSweep(input: {id: $id}) { success } }",
    "run stop": "mutation A($id: ID!) { stopRun(input: {id: $id}) { success } }",
    "run delete": "mutation A($id: ID!) { deleteRun(input: {id: $id}) { clientMutationId } }",
  };

  async function act(kind, id, state) {
    const key = sessionStorage.getItem("api-key") || prompt("API key of this server");
    if (!key) return "nothing was changed";
    const query = MUTATIONS[`${kind} ${state}`] || MUTATIONS[kind];
    const reply = await fetch(`${document.documentElement.dataset.root}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Basic ${btoa(`api:${key}`)}` },
      body: JSON.stringify({ query, variables: { id: btoa(id), state } }),
    });
    const answer = await reply.json();
    if (reply.status === 401) sessionStorage.removeItem("api-key");
    if (!reply.ok || answer.errors) return answer.errors ? answer.errors[0].message : `error ${reply.status}`;
    sessionStorage.setItem("api-key", key);
    return "done";
  }

  function isMeant(button, place) {
    const { state } = button.dataset;
    if (state === "delete") return confirm(`Delete ${place.dataset.what}, with all that was logged? This is final.`);
    return !["FINISHED", "CANCELED", "stop"].includes(state) || confirm(`${button.textContent}?`);
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-actions] [data-state]");
    if (!button) return;
    const place = button.closest("[data-actions]");
    const { state } = button.dataset;
    if (!isMeant(button, place)) return;
    const said = place.querySelector("[role=status]");
    said.textContent = "…";
    said.textContent = await act(place.dataset.actions, place.dataset.id, state).catch(String);
    if (said.textContent !== "done") return;
    if (state === "delete") location.replace(place.dataset.after);
    else location.reload();
  });
})();
