"""The operations of the installed SDK fit the schema."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import wandb
from graphql import (
    FieldsOnCorrectTypeRule,
    GraphQLSyntaxError,
    KnownArgumentNamesRule,
    KnownTypeNamesRule,
    ValuesOfCorrectTypeRule,
    VariablesInAllowedPositionRule,
    parse,
    validate,
)

from wandb_carbs.server.graphql.execute import schema
from wandb_carbs.server.graphql.mutations import MUTATIONS

# The SDK whose operations are listed below; older ones have others, and .ci/sdk_matrix.py runs them.
_LISTED = (0, 31)
_MINOR = tuple(int(part) for part in wandb.__version__.split(".")[:2])
# Operations of the SDK in which something is unknown here, and why that is no loss.
# "automations", "launch", "registry", "teams", "portfolios" and "charts" are products of W&B that this server does not
# have; their mutations are refused by name, and their queries answered without the fields that do not exist.
KNOWN_TO_BE_MISSING = {
    "automations": """CreateAutomation CreateGenericWebhookIntegration DeleteAutomation GetAutomations
        GetAutomationsLegacy GetEntityAutomations GetEntityAutomationsLegacy GetOrgAutomations IntegrationsByEntity
        GenericWebhookIntegrationsByEntity SlackIntegrationsByEntity UpdateAutomation""",
    "launch": """CreateDefaultResourceConfig CreateRunQueue DeleteFromRunQueue DeleteRunQueue GetDefaultResourceConfig
        GetRunQueueItem GetRunQueueItems GetRunQueueMetadata LaunchAgent ProjectRunQueues UpsertRunQueue
        ackRunQueueItem failRunQueueItem fetchRunQueuesFromProject popFromRunQueue pushToRunQueueByName
        updateLaunchAgent updateRunQueueItemWarning""",
    "the registry": """CreateRegistryMembers DeleteRegistry DeleteRegistryMembers FetchAdvancedRegistryFeatures
        FetchOrganization FetchOrgInfoFromEntity FetchRegistries FetchRegistry OrgFeatureFlags RegistryCollections
        RegistryTeamMembers RegistryUserMembers RegistryVersions RenameRegistry UpdateTeamRegistryRole
        UpdateUserRegistryRole UpsertRegistry UpsertRegistryProject""",
    "teams and users": """CreateInvite CreateServiceAccount CreateTeam CreateUserFromAdmin DeleteApiKey DeleteInvite
        GenerateApiKey GetTeamEntity SearchUsers""",
    "portfolios": """DeleteArtifactPortfolio LinkArtifact UnlinkArtifact UpdateArtifactPortfolio""",
    "saved views and custom charts": "CreateCustomChart ProjectViews",
    # Not asked for unless the server says that it has the feature, or gives an address for each part.
    "uploads in parts": "CompleteMultipartUploadArtifact MarkRunFilesUploaded",
}
# The name by which a user knows each mutation.
WORKS = {
    "runs": """upsertBucket createRunFiles stopRun deleteRun deleteFiles updateRunState rewindRun
        notifyScriptableRunAlert""",
    "sweeps and agents": "upsertSweep createAgent agentHeartbeat enqueueSweepRun deleteSweep",
    "projects": "upsertModel",
    "artifacts": """createArtifact createArtifactManifest updateArtifactManifest createArtifactFiles commitArtifact
        useArtifact updateArtifact deleteArtifact addAliases deleteAliases""",
    "collections of artifacts": """updateArtifactSequence moveArtifactSequence deleteArtifactSequence
        createArtifactCollectionTagAssignments deleteArtifactCollectionTagAssignments""",
}
DOCS = Path(__file__).parents[4] / "docs" / "local-server.md"


def documents() -> dict[str, str]:
    """Return the operations and fragments in the installed SDK's programs, by name."""
    root = Path(wandb.__file__).parent
    start = re.compile(rb"(?:query|mutation|fragment)\s+[A-Za-z_]\w*\s*(?:\(|\{|on\s+\w+\s*\{)")
    found: dict[str, str] = {}
    for file in [*root.glob("bin/wandb-core"), *sorted(root.rglob("*.py"))]:
        data = file.read_bytes()
        for match in start.finditer(data):
            text = balanced(data, match.start())
            try:
                document = parse(text)
            except GraphQLSyntaxError:
                continue
            name = document.definitions[0].name.value  # type: ignore[attr-defined]
            found[f"{name} {len(found)}" if document.definitions[0].kind == "operation_definition" else name] = text
    return found


def balanced(data: bytes, start: int) -> str:
    depth, quoted = 0, False
    for place in range(start, min(len(data), start + 20000)):
        sign = data[place]
        quoted ^= sign == ord('"')
        if quoted:
            continue
        depth += (sign == ord("{")) - (sign == ord("}"))
        if sign == ord("}") and depth == 0:
            return data[start : place + 1].decode(errors="replace")
    return ""


@pytest.mark.skipif(_MINOR < _LISTED, reason="the list of operations is that of a newer SDK")
def test_operations_of_the_sdk_are_known() -> None:
    """Every operation of the installed SDK fits the schema, but for those that are known not to."""
    found = documents()
    excused = {name for names in KNOWN_TO_BE_MISSING.values() for name in names.split()}
    rules = [
        FieldsOnCorrectTypeRule,
        KnownTypeNamesRule,
        KnownArgumentNamesRule,
        VariablesInAllowedPositionRule,
        ValuesOfCorrectTypeRule,
    ]
    misfits: dict[str, list[str]] = {}
    operations = 0
    for key, text in found.items():
        name, _, numbered = key.partition(" ")
        if not numbered or name in excused or "_PROJECT_QUERY_" in text:
            continue
        operations += 1
        used, todo = {name: text}, [text]
        while todo:
            for part in re.findall(r"\.\.\.\s*(?!on\b)(\w+)", todo.pop()):
                if part in found and part not in used:
                    used[part] = found[part]
                    todo.append(found[part])
        errors = validate(schema(), parse("\n".join(used.values())), rules, max_errors=100)
        if errors:
            misfits[name] = sorted({error.message for error in errors})
    assert operations > 80
    assert misfits == {}, json.dumps(misfits, indent=1)


def table() -> str:
    """Return the documentation's table of operations."""
    lines = ["| | works | operations |", "|---|---|---|"]
    for works, groups in (("yes", WORKS), ("no", KNOWN_TO_BE_MISSING)):
        lines += [
            f"| {group} | {works} | {', '.join(f'`{name}`' for name in names.split())} |"
            for group, names in groups.items()
        ]
    return "\n".join(lines)


def test_documentation_has_the_table_of_operations() -> None:
    assert {name for names in WORKS.values() for name in names.split()} == set(MUTATIONS)
    assert f"\n{table()}\n" in DOCS.read_text(), f"put this into {DOCS}:\n\n{table()}"
