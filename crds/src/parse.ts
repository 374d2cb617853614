/**
 * From JSON of unknown origin to a typed object, by the schemas the manifests are made of. Unknown fields are kept, so
 * that an older operator can read what a newer API server stores. CEL rules are the API server's business.
 */
import Type, { type TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import type { ArchiveNode } from "./archive-node.ts";
import { ContractError } from "./errors.ts";
import type { FederationPeer } from "./federation-peer.ts";
import { KINDS, type KindName } from "./kinds.ts";
import { API_VERSION } from "./labels.ts";
import type { SyncPolicy } from "./sync-policy.ts";

const MAX_PROBLEMS = 10;

const MetadataSchema = Type.Object({
  name: Type.String({ minLength: 1 }),
  namespace: Type.String({ minLength: 1 }),
  uid: Type.String({ minLength: 1 }),
});

function validatorOf(kind: KindName): Validator {
  const { spec, status } = KINDS[kind];
  const schema: TSchema = Type.Object({
    apiVersion: Type.Literal(API_VERSION),
    kind: Type.Literal(kind),
    metadata: MetadataSchema,
    spec: spec as TSchema,
    status: Type.Optional(status as TSchema),
  });
  return Compile(schema);
}

const compiled = new Map<KindName, Validator>();

function parse(kind: KindName, value: unknown): void {
  const validator = compiled.get(kind) ?? validatorOf(kind);
  compiled.set(kind, validator);
  if (validator.Check(value)) return;
  const problems = validator
    .Errors(value)
    .slice(0, MAX_PROBLEMS)
    .map((error) => `${error.instancePath || "/"} ${error.message}`);
  throw new ContractError("INVALID_OBJECT", { kind, problems });
}

/** @throws {ContractError} INVALID_OBJECT, naming the fields */
export function parseArchiveNode(value: unknown): ArchiveNode {
  parse("ArchiveNode", value);
  return value as ArchiveNode;
}

/** @throws {ContractError} INVALID_OBJECT, naming the fields */
export function parseFederationPeer(value: unknown): FederationPeer {
  parse("FederationPeer", value);
  return value as FederationPeer;
}

/** @throws {ContractError} INVALID_OBJECT, naming the fields */
export function parseSyncPolicy(value: unknown): SyncPolicy {
  parse("SyncPolicy", value);
  return value as SyncPolicy;
}
