"""The operations of the installed SDK fit the schema."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import wandb
from graphql import (
    FieldsOnCorrectTypeRule,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSyntaxError,
    KnownArgumentNamesRule,
    KnownTypeNamesRule,
    OperationDefinitionNode,
    ValuesOfCorrectTypeRule,
    VariablesInAllowedPositionRule,
    parse,
    type_from_ast,
    validate,
)

from stored import ask
from wandb_carbs.server.graphql.execute import schema
from wandb_carbs.server.graphql.mutations import MUTATIONS

if TYPE_CHECKING:
    from wandb_carbs.server.store.database import Store

# The SDK whose operations are listed below; older ones have others, and .ci/sdk_matrix.py runs them.
_LISTED = (0, 31)
_MINOR = tuple(int(part) for part in wandb.__version__.split(".")[:2])
# Operations of the SDK in which something is unknown here, and why that is no loss.
# "automations", "launch", "registry", "teams", "portfolios" and "charts" are products of W&B that this server does not
# have; their mutations are refused by name, their lists are empty, and other queries are answered without the fields
# that do not exist.
KNOWN_TO_BE_MISSING = {
    "automations": """CreateAutomation CreateGenericWebhookIntegration DeleteAutomation GetAutomations
        GetAutomationsLegacy GetEntityAutomations GetEntityAutomationsLegacy GetOrgAutomations IntegrationsByEntity
        GenericWebhookIntegrationsByEntity SlackIntegrationsByEntity UpdateAutomation""",
    "launch": """CreateDefaultResourceConfig CreateRunQueue DeleteFromRunQueue DeleteRunQueue GetDefaultResourceConfig
        GetRunQueueItem GetRunQueueItems GetRunQueueMetadata LaunchAgent UpsertRunQueue
        ackRunQueueItem failRunQueueItem fetchRunQueuesFromProject popFromRunQueue pushToRunQueueByName
        updateLaunchAgent updateRunQueueItemWarning""",
    "the registry": """CreateRegistryMembers DeleteRegistry DeleteRegistryMembers FetchAdvancedRegistryFeatures
        FetchOrganization FetchRegistries FetchRegistry OrgFeatureFlags RegistryCollections
        RegistryTeamMembers RegistryUserMembers RegistryVersions RenameRegistry UpdateTeamRegistryRole
        UpdateUserRegistryRole UpsertRegistry UpsertRegistryProject""",
    "teams and users": """CreateInvite CreateServiceAccount CreateTeam CreateUserFromAdmin DeleteApiKey DeleteInvite
        GenerateApiKey GetTeamEntity""",
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


@functools.cache
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


def operations() -> dict[str, list[str]]:
    """Return the texts of each operation of the installed SDK, with the fragments that it uses."""
    found = documents()
    texts: dict[str, list[str]] = {}
    for key, text in found.items():
        name, _, numbered = key.partition(" ")
        if not numbered or "_PROJECT_QUERY_" in text:
            continue
        used, todo = {name: text}, [text]
        while todo:
            for part in re.findall(r"\.\.\.\s*(?!on\b)(\w+)", todo.pop()):
                if part in found and part not in used:
                    used[part] = found[part]
                    todo.append(found[part])
        texts.setdefault(name, []).append("\n".join(used.values()))
    assert len(texts) > 80
    return texts


@pytest.mark.skipif(_MINOR < _LISTED, reason="the list of operations is that of a newer SDK")
def test_operations_of_the_sdk_are_known() -> None:
    """Every operation of the installed SDK fits the schema, but for those that are known not to."""
    excused = {name for names in KNOWN_TO_BE_MISSING.values() for name in names.split()}
    rules = [
        FieldsOnCorrectTypeRule,
        KnownTypeNamesRule,
        KnownArgumentNamesRule,
        VariablesInAllowedPositionRule,
        ValuesOfCorrectTypeRule,
    ]
    misfits: dict[str, list[str]] = {}
    asked = operations()
    for name, texts in asked.items():
        for text in texts:
            errors = validate(schema(), parse(text), rules, max_errors=100)
            if errors:
                misfits[name] = sorted({error.message for error in errors})
    unknown = {name: errors for name, errors in misfits.items() if name not in excused}
    assert unknown == {}, json.dumps(unknown, indent=1)
    assert (excused & asked.keys()) - misfits.keys() == set(), "these are known"


# As the SDK writes the values of scalars into JSON.
WRITTEN = {"Int": 1, "Int64": 1, "Float": 1.5, "Boolean": True, "Duration": 60_000, "JSON": {}, "JSONString": "{}"}


def written(kind: GraphQLInputType) -> Any:
    """Return a value of a type as the SDK would write it, with every field of an input object."""
    if isinstance(kind, GraphQLNonNull):
        return written(kind.of_type)
    if isinstance(kind, GraphQLList):
        return [written(kind.of_type)]
    if isinstance(kind, GraphQLEnumType):
        return next(iter(kind.values))
    if isinstance(kind, GraphQLInputObjectType):
        return {name: written(field.type) for name, field in kind.fields.items()}
    return WRITTEN.get(kind.name, "x")


@pytest.mark.skipif(_MINOR < _LISTED, reason="the list of operations is that of a newer SDK")
def test_values_of_the_sdk_have_the_right_types(store: Store) -> None:
    """No operation is refused for the type of a value: the SDK would only write that into its log."""
    excused = {name for names in KNOWN_TO_BE_MISSING.values() for name in names.split()}
    refused = {}
    for name, texts in operations().items():
        for text in texts if name not in excused else ():
            (operation,) = (part for part in parse(text).definitions if isinstance(part, OperationDefinitionNode))
            variables = {
                declared.variable.name.value: written(cast("GraphQLInputType", type_from_ast(schema(), declared.type)))
                for declared in operation.variable_definitions or ()
            }
            messages = [error["message"] for error in ask(store, text, **variables).body.get("errors", [])]
            refused[name] = [message for message in messages if "of type" in message]
    assert {name: messages for name, messages in refused.items() if messages} == {}


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
