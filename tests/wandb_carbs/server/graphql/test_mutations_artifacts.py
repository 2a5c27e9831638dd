"""The mutations of artifacts, in the order in which the SDK sends them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from asgi import call
from stored import ask, make_run
from wandb_carbs.server.app import create_app
from wandb_carbs.server.keys import Key

if TYPE_CHECKING:
    from pathlib import Path

    from wandb_carbs.server.store.database import Store

HEADERS = {"Authorization": f"Bearer {'k' * 40}", "Content-Type": "application/json", "Host": "here"}
DIGEST = base64.b64encode(bytes(16)).decode()


class Sdk:
    """A client that writes artifacts."""

    def __init__(self, store: Store, folder: Path) -> None:
        make_run(store, "r")
        self._app = create_app(store, key=Key(folder / "key", "k" * 40), files_dir=folder / "files")

    def send(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        return json.loads(call(self._app, "POST", "/graphql", body, HEADERS).body)

    def change(self, query: str, **variables: Any) -> Any:
        reply = self.send(query, **variables)
        assert "errors" not in reply, reply
        return reply["data"]

    def put(self, address: str, content: bytes) -> None:
        assert call(self._app, "PUT", address.removeprefix("http://here"), content).status == 200

    def create(self, *aliases: str, name: str = "model") -> str:
        query = """mutation C($n: String!, $a: [ArtifactAliasInput!]) { createArtifact(input: {projectName: "p",
            runName: "r", artifactTypeName: "model", artifactCollectionNames: [$n], digest: "d", aliases: $a}) {
            artifact { id state } } }"""
        given = [{"artifactCollectionName": name, "alias": alias} for alias in aliases]
        made = self.change(query, n=name, a=given)["createArtifact"]["artifact"]
        assert made["state"] == "PENDING"
        return str(made["id"])

    def manifest(self, artifact: str, contents: Any, kind: str = "FULL") -> None:
        query = """mutation M($i: ID!, $k: ArtifactManifestType) { createArtifactManifest(input: {artifactID: $i,
            name: "wandb_manifest.json", digest: "d", entityName: "local", projectName: "p", runName: "r", type: $k}) {
            artifactManifest { id file { uploadUrl } } } }"""
        made = self.change(query, i=artifact, k=kind)["createArtifactManifest"]["artifactManifest"]
        self.put(made["file"]["uploadUrl"], json.dumps({"contents": contents}).encode())

    def file(self, artifact: str, name: str, content: bytes) -> None:
        query = """mutation F($i: ID!, $n: String!) { createArtifactFiles(input: {artifactFiles: [
            {artifactID: $i, name: $n, md5: "x"}], storageLayout: V2}) {
            files { edges { node { displayName uploadUrl } } } } }"""
        (edge,) = self.change(query, i=artifact, n=name)["createArtifactFiles"]["files"]["edges"]
        assert edge["node"]["displayName"] == name
        self.put(edge["node"]["uploadUrl"], content)

    def commit(self, artifact: str) -> Any:
        query = """mutation K($i: ID!) { commitArtifact(input: {artifactID: $i}) {
            artifact { state versionIndex aliases { alias } } } }"""
        return self.send(query, i=artifact)

    def whole(self, *aliases: str, name: str = "model") -> str:
        artifact = self.create(*aliases, name=name)
        self.manifest(artifact, {"a": {"digest": DIGEST, "size": 5}})
        self.file(artifact, "a", b"bytes")
        assert "errors" not in self.commit(artifact)
        return artifact


@pytest.fixture
def sdk(store: Store, tmp_path: Path) -> Sdk:
    return Sdk(store, tmp_path)


def test_artifact_is_committed_once_everything_is_there(sdk: Sdk, store: Store) -> None:
    artifact = sdk.create("best")
    assert "manifest" in sdk.commit(artifact)["errors"][0]["message"]
    sdk.manifest(artifact, {"a": {"digest": DIGEST, "size": 5}})
    assert "have not arrived: a" in sdk.commit(artifact)["errors"][0]["message"]
    sdk.file(artifact, "a", b"bytes")
    committed = sdk.commit(artifact)["data"]["commitArtifact"]["artifact"]
    assert committed == {"state": "COMMITTED", "versionIndex": 0, "aliases": [{"alias": "best"}]}
    assert sdk.commit(artifact)["data"]["commitArtifact"]["artifact"] == committed  # the reply was lost
    query = (
        '{ project(name: "p") { artifact(name: "model:best") { size fileCount files { edges { node { name } } } } } }'
    )
    found = ask(store, query).body["data"]["project"]["artifact"]
    assert found == {"size": 5, "fileCount": 1, "files": {"edges": [{"node": {"name": "a"}}]}}


def test_several_writers_are_refused(sdk: Sdk) -> None:
    query = """mutation M($i: ID!) { createArtifactManifest(input: {artifactID: $i, name: "m", digest: "d",
        entityName: "local", projectName: "p", runName: "r", type: PATCH}) { artifactManifest { id } } }"""
    assert "several writers" in sdk.send(query, i=sdk.create())["errors"][0]["message"]


def test_aliases_are_given_and_taken_in_the_own_collection(sdk: Sdk) -> None:
    artifact = sdk.whole()
    query = (
        """mutation A($i: ID!, $a: [ArtifactAliasInput!]!) { %s(input: {artifactID: $i, aliases: $a}) { success } }"""
    )
    alias = {"artifactCollectionName": "model", "alias": "best"}
    sdk.change(query % "addAliases", i=artifact, a=[alias])
    found = '{ project(name: "p") { artifact(name: "model:best") { id } } }'
    assert sdk.change(found)["project"]["artifact"]["id"] == artifact
    sdk.change(query % "deleteAliases", i=artifact, a=[alias])
    assert sdk.change(found)["project"]["artifact"] is None
    foreign = sdk.send(query % "addAliases", i=artifact, a=[{**alias, "artifactCollectionName": "other"}])
    assert "does not link" in foreign["errors"][0]["message"]


def test_collection_is_renamed_retyped_tagged_and_deleted(sdk: Sdk) -> None:
    sdk.whole("latest")
    found = '{ project(name: "p") { artifactCollection(name: "%s") { id name tags { edges { node { name } } } } } }'
    collection = sdk.change(found % "model")["project"]["artifactCollection"]["id"]
    tag = """mutation T($t: [TagInput!]!) { createArtifactCollectionTagAssignments(input: {entityName: "local",
        projectName: "p", artifactCollectionName: "model", tags: $t}) { tags { name } } }"""
    tagged = sdk.change(tag, t=[{"tagName": "a"}])["createArtifactCollectionTagAssignments"]
    assert tagged == {"tags": [{"name": "a"}]}
    rename = """mutation R($i: ID!) { updateArtifactSequence(input: {artifactSequenceID: $i, name: "new"}) {
        artifactCollection { name } } }"""
    assert sdk.change(rename, i=collection)["updateArtifactSequence"]["artifactCollection"]["name"] == "new"
    move = """mutation V($i: ID!) { moveArtifactSequence(input: {artifactSequenceID: $i,
        destinationArtifactTypeName: "dataset"}) { artifactCollection { name } } }"""
    sdk.change(move, i=collection)
    types = sdk.change('{ project(name: "p") { artifactTypes { edges { node { name } } } } }')["project"][
        "artifactTypes"
    ]
    assert [edge["node"]["name"] for edge in types["edges"]] == ["dataset"]
    delete = """mutation D($i: ID!) { deleteArtifactSequence(input: {artifactSequenceID: $i}) {
        artifactCollection { name } } }"""
    sdk.change(delete, i=collection)
    assert sdk.change(found % "new")["project"]["artifactCollection"] is None
    assert sdk.change('{ project(name: "p") { artifact(name: "new") { id } } }')["project"]["artifact"] is None


def test_use_and_deletion(sdk: Sdk) -> None:
    artifact = sdk.whole("best")
    use = """mutation U($i: ID!) { useArtifact(input: {artifactID: $i, entityName: "local", projectName: "p",
        runName: "r"}) { artifact { usedBy { edges { node { name } } } } } }"""
    assert sdk.change(use, i=artifact)["useArtifact"]["artifact"]["usedBy"]["edges"] == [{"node": {"name": "r"}}]
    delete = """mutation D($i: ID!, $a: Boolean) { deleteArtifact(input: {artifactID: $i, deleteAliases: $a}) {
        artifact { state } } }"""
    assert "delete_aliases=True" in sdk.send(delete, i=artifact, a=False)["errors"][0]["message"]
    assert sdk.change(delete, i=artifact, a=True)["deleteArtifact"]["artifact"]["state"] == "DELETED"
