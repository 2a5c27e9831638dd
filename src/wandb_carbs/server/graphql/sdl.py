"""The GraphQL schema: what the SDKs of W&B select in the flows of a sweep.

Queries are executed without validation, so that a field this schema lacks is left out of the reply instead of failing
the query. Types of variables and fields of inputs must exist even so. Old SDKs ask for types by their names, such as
`ServerSettings`.
"""

SDL = """
scalar JSON
scalar JSONString
scalar DateTime
scalar Duration
scalar Int64
scalar Upload

type Query {
  viewer: User
  serverInfo: ServerInfo
  entity(name: String): Entity
  project(name: String, entityName: String): Project
  model(name: String, entityName: String): Project
  models(entityName: String, first: Int, after: String, order: String): ProjectConnection
  sweep(name: String, entityName: String, projectName: String): Sweep
  artifact(id: ID!): Artifact
  clientIDMapping(clientID: ID!): ClientIDMapping
}

type Mutation {
  upsertBucket(input: UpsertBucketInput!): UpsertBucketPayload
  upsertModel(input: UpsertModelInput!): UpsertModelPayload
  upsertSweep(input: UpsertSweepInput!): UpsertSweepPayload
  createAgent(input: CreateAgentInput!): CreateAgentPayload
  agentHeartbeat(input: AgentHeartbeatInput!): AgentHeartbeatPayload
  createRunFiles(input: CreateRunFilesInput!): CreateRunFilesPayload
  stopRun(input: RunIdInput!): SuccessPayload
  deleteRun(input: RunIdInput!): DeleteRunPayload
  createArtifact(input: CreateArtifactInput!): CreateArtifactPayload
  createArtifactManifest(input: CreateArtifactManifestInput!): ArtifactManifestPayload
  updateArtifactManifest(input: UpdateArtifactManifestInput!): ArtifactManifestPayload
  createArtifactFiles(input: CreateArtifactFilesInput!): CreateArtifactFilesPayload
  commitArtifact(input: ArtifactIdInput!): ArtifactPayload
  useArtifact(input: UseArtifactInput!): ArtifactPayload
}

type ServerInfo { features: [ServerFeature!]! cliVersionInfo: JSON latestLocalVersionInfo: JSON }
type ServerFeature { name: String isEnabled: Boolean }
type ServerSettings { serverMessages: [ServerMessage!]! }
type ServerMessage { utfText: String plainText: String htmlText: String messageType: String messageLevel: String }

type User {
  id: ID name: String username: String email: String entity: String flags: JSONString admin: Boolean
  deletedAt: DateTime teams: EntityConnection apiKeys: ApiKeyConnection
}
type ApiKeyConnection { edges: [ApiKeyEdge!]! }
type ApiKeyEdge { node: ApiKey }
type ApiKey { id: ID name: String description: String }
type Entity { id: ID name: String organization: Organization isTeam: Boolean }
type EntityConnection { edges: [EntityEdge!]! }
type EntityEdge { node: Entity }
type Organization { name: String coreWeaveOrganizationId: String orgEntity: Entity }
type PageInfo { endCursor: String hasNextPage: Boolean! }

type ProjectConnection { edges: [ProjectEdge!]! pageInfo: PageInfo! }
type ProjectEdge { node: Project cursor: String }
type Project {
  id: ID internalId: ID name: String entityName: String entity: Entity description: String createdAt: DateTime
  isBenchmark: Boolean readOnly: Boolean access: String views: JSONString user: User
  run(name: String!): Run
  bucket(name: String!, missingOk: Boolean): Run
  runs(filters: JSONString, order: String, first: Int, after: String): RunConnection
  runCount(filters: JSONString): Int
  sweep(sweepName: String!): Sweep
  sweeps(first: Int, after: String, filters: JSONString): SweepConnection
  totalSweeps: Int
  artifact(name: String!): Artifact
  artifactCollection(name: String!): ArtifactCollection
  artifactCollectionMembership(name: String!): ArtifactCollectionMembership
}

type RunConnection { edges: [RunEdge!]! pageInfo: PageInfo! totalCount: Int }
type RunEdge { node: Run cursor: String }
type Run {
  id: ID projectId: Int name: String displayName: String sweepName: String state: String config: JSONString
  summaryMetrics: JSONString systemMetrics: JSONString tags: [String!] group: String groupName: String jobType: String
  commit: String host: String readOnly: Boolean createdAt: DateTime heartbeatAt: DateTime description: String
  notes: String user: User project: Project
  exitcode: Int shouldStop: Boolean failed: Boolean stopped: Boolean running: Boolean
  historyLineCount: Int eventsLineCount: Int logLineCount: Int historyTail: JSONString eventsTail: JSONString
  historyKeys: JSON
  wandbConfig(keys: [String!]): JSONString
  history(samples: Int, minStep: Int64, maxStep: Int64): [String!]
  events(samples: Int): [String!]
  sampledHistory(specs: [JSONString!]!): [JSON!]
  parquetHistory(liveKeys: [String!]): ParquetHistory
  fileCount: Int
  files(names: [String], pattern: String, first: Int, after: String): FileConnection
  outputArtifacts(first: Int, after: String): ArtifactConnection
}
type ParquetHistory { parquetUrls: [String!]! liveData: [JSON!]! }
type FileConnection { edges: [FileEdge!]! pageInfo: PageInfo! }
type FileEdge { node: File cursor: String }
type File {
  id: ID name: String url(upload: Boolean): String directUrl: String sizeBytes: Int64 mimetype: String
  updatedAt: DateTime md5: String
}

type SweepConnection { edges: [SweepEdge!]! pageInfo: PageInfo! }
type SweepEdge { node: Sweep cursor: String }
type Sweep {
  id: ID name: String displayName: String method: String state: String description: String config: String
  createdAt: DateTime updatedAt: DateTime heartbeatAt: DateTime earlyStopJobRunning: Boolean bestLoss: Float
  controller: JSONString scheduler: JSONString runCount: Int runCountExpected: Int project: Project
  runs(filters: JSONString, order: String, first: Int, after: String): RunConnection
  agents: AgentConnection
  agent(agentName: String!): Agent
}
type AgentConnection { edges: [AgentEdge!]! pageInfo: PageInfo! }
type AgentEdge { node: Agent }
type Agent {
  id: ID name: String host: String state: String totalRuns: Int createdAt: DateTime heartbeatAt: DateTime
  runs(first: Int, last: Int, after: String, before: String, order: String): RunConnection
}

input UpsertBucketInput {
  id: String name: String groupName: String modelName: String entityName: String description: String
  displayName: String notes: String config: JSONString commit: String host: String debug: Boolean jobProgram: String
  jobRepo: String jobType: String state: String sweep: String tags: [String!] summaryMetrics: JSONString
  clientMutationId: String
}
type UpsertBucketPayload { bucket: Run inserted: Boolean serverSettings: ServerSettings clientMutationId: String }
input UpsertModelInput {
  id: String name: String entityName: String description: String access: String framework: String isBenchmark: Boolean
  views: JSONString clientMutationId: String
}
type UpsertModelPayload { project: Project model: Project inserted: Boolean }
input UpsertSweepInput {
  id: ID config: String description: String entityName: String projectName: String controller: JSONString
  scheduler: JSONString launchScheduler: JSONString templateVariableValues: JSONString state: String
  priorRunsFilters: JSONString displayName: String clientMutationId: String
}
type UpsertSweepPayload { sweep: Sweep configValidationWarnings: [String!]! }
input CreateAgentInput { host: String projectName: String entityName: String sweep: String! clientMutationId: String }
type CreateAgentPayload { agent: Agent }
input AgentHeartbeatInput { id: ID! metrics: JSONString runState: JSONString clientMutationId: String }
type AgentHeartbeatPayload { agent: Agent commands: JSONString }
input CreateRunFilesInput {
  entityName: String projectName: String runName: String! files: [String!]! clientMutationId: String
}
type CreateRunFilesPayload { runID: ID uploadHeaders: [String!]! files: [UploadTarget!]! }
type UploadTarget { name: String uploadUrl: String }
input RunIdInput { id: ID! deleteArtifacts: Boolean clientMutationId: String }
type SuccessPayload { success: Boolean clientMutationId: String }
type DeleteRunPayload { clientMutationId: String }

enum ArtifactManifestType { FULL INCREMENTAL PATCH }
interface ArtifactCollection {
  id: ID name: String project: Project artifactMembership(aliasName: String!): ArtifactCollectionMembership
}
type ArtifactSequence implements ArtifactCollection {
  id: ID name: String project: Project artifactMembership(aliasName: String!): ArtifactCollectionMembership
  latestArtifact: Artifact digestAlgorithm: String
}
type ArtifactType { name: String }
type ArtifactAlias { id: ID alias: String artifactCollection: ArtifactCollection }
type Tag { id: ID name: String }
type ArtifactConnection { edges: [ArtifactEdge!]! pageInfo: PageInfo! totalCount: Int }
type ArtifactEdge { node: Artifact cursor: String }
type Artifact {
  id: ID artifactSequence: ArtifactSequence versionIndex: Int artifactType: ArtifactType description: String
  metadata: JSONString ttlDurationSeconds: Int64 ttlIsInherited: Boolean tags: [Tag!] historyStep: Int64 state: String
  size: Int64 digest: String digestAlgorithm: String commitHash: String fileCount: Int64 createdAt: DateTime
  updatedAt: DateTime aliases: [ArtifactAlias!] currentManifest: ArtifactManifest
  files(names: [String!], first: Int, after: String): FileConnection
  filesByManifestEntries(
    storageLayout: String manifestVersion: String entries: [ArtifactManifestEntryInput!] storageRegion: String
    first: Int after: String
  ): FileConnection
}
type ArtifactCollectionMembership {
  id: ID versionIndex: Int createdAt: DateTime aliases: [ArtifactAlias!] artifactCollection: ArtifactCollection
  artifact: Artifact files(names: [String!], first: Int, after: String): FileConnection
}
type ArtifactManifest { id: ID file: ArtifactFile }
type ArtifactFile {
  id: ID name: String directUrl: String uploadUrl: String uploadHeaders: [String!] storagePath: String
  uploadMultipartUrls: JSON artifact: Artifact
}
type ArtifactFileConnection { edges: [ArtifactFileEdge!]! }
type ArtifactFileEdge { node: ArtifactFile }
type ClientIDMapping { serverID: ID }

input ArtifactManifestEntryInput { name: String! digest: String birthArtifactID: ID storageRegion: String }
input ArtifactAliasInput { artifactCollectionName: String alias: String! }
input CreateArtifactInput {
  entityName: String projectName: String runName: String artifactTypeName: String artifactCollectionName: String
  artifactCollectionNames: [String!] description: String digest: String digestAlgorithm: String labels: JSON
  metadata: JSONString aliases: [ArtifactAliasInput!] tags: JSON historyStep: Int64 enableDigestDeduplication: Boolean
  clientID: ID sequenceClientID: ID distributedID: String ttlDurationSeconds: Int64 storageRegion: String
  clientMutationId: String
}
type ArtifactPayload { artifact: Artifact clientMutationId: String }
type CreateArtifactPayload { artifact: Artifact clientMutationId: String }
input CreateArtifactManifestInput {
  artifactID: ID! baseArtifactID: ID name: String digest: String entityName: String projectName: String runName: String
  type: ArtifactManifestType clientMutationId: String
}
input UpdateArtifactManifestInput {
  artifactManifestID: ID! digest: String baseArtifactID: ID clientMutationId: String
}
type ArtifactManifestPayload { artifactManifest: ArtifactManifest }
input CreateArtifactFilesInput {
  artifactFiles: [CreateArtifactFileSpecInput!]! storageLayout: String cloudRegionID: ID clientMutationId: String
}
input CreateArtifactFileSpecInput {
  artifactID: ID! artifactManifestID: ID name: String! md5: String mimetype: String uploadPartsInput: JSON
  storageRegion: String contentType: String
}
type CreateArtifactFilesPayload { files: ArtifactFileConnection }
input ArtifactIdInput { artifactID: ID! clientMutationId: String }
input UseArtifactInput {
  entityName: String projectName: String runName: String artifactID: ID! usedAs: String artifactEntityName: String
  artifactProjectName: String clientMutationId: String
}
"""
