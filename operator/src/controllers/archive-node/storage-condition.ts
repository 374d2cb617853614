/** What the volumes of a node are, against what its spec asks for. Pure. */
import { childNames, DATA_VOLUME, podName } from "../names.ts";
import { quantityBytes } from "../quantity.ts";
import type { EffectiveNode } from "./effective.ts";
import type { ObservedClaim, ObservedState } from "./observed.ts";
import { type Decision, verdict } from "./verdict.ts";
import type { VolumeGrowth } from "./volume-growth.ts";

interface StorageInput {
  readonly node: EffectiveNode;
  readonly observed: ObservedState;
  readonly growth: VolumeGrowth;
}

export function storageCondition({ node, observed, growth }: StorageInput): Decision {
  const size = node.storage.size;
  const leaving = leavingVerdict(observed);
  if (leaving !== undefined) return leaving;
  switch (growth.step) {
    case "rejected":
      return verdict("StorageReady", "False", "StorageShrinkRejected", shrinkMessage(size, growth.current));
    case "not-expandable":
      return verdict("StorageReady", "False", "StorageNotExpandable", growth.message);
    case "grow-claims":
    case "await-capacity":
      return verdict("StorageReady", "False", "Resizing", growingMessage(node, growth.claims));
    case "replace-stateful-set":
    case "await-removal":
      return verdict(
        "StorageReady",
        "False",
        "Resizing",
        "making the StatefulSet anew around its pods, for volumes as asked for",
      );
    case "none":
      return claimsCondition(node, observed);
  }
}

/** A deletion cannot be taken back: before anything else, the reader must know what is lost, and when. */
function leavingVerdict({ leavingClaims }: ObservedState): Decision | undefined {
  const bound = leavingClaims.filter(({ volume }) => volume !== undefined);
  if (bound.length === 0) return undefined;
  const claims = bound.map(({ name }) => name);
  const pods = claims.map((name) => name.slice(DATA_VOLUME.length + 1)).join(" ");
  const keep = `kubectl patch pv ${bound.map(({ volume }) => volume).join(" ")} -p '{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'`;
  const message = `claim ${claims.join(", ")} was deleted, which cannot be taken back: its files go when pod ${pods} ends or restarts; to keep them, first run ${keep} and download what you need; then kubectl delete pod ${pods} to begin with an empty volume`;
  return verdict("StorageReady", "False", "ClaimTerminating", message);
}

/** Most volumes grow in seconds; the file system of some only while a pod has it. */
function growingMessage({ storage, replicas }: EffectiveNode, claims: readonly string[]): string {
  const next =
    replicas === 0
      ? "the volume may wait for a pod: raise spec.replicas to wake the node"
      : `kubectl describe pvc ${claims.join(" ")} says what it waits for`;
  return `growing ${claims.join(", ")} to ${storage.size}; ${next}`;
}

function claimsCondition(node: EffectiveNode, observed: ObservedState): Decision {
  const expected = Array.from(
    { length: node.sharedEngines ? 0 : node.replicas },
    (_, ordinal) => `${DATA_VOLUME}-${podName(childNames(node.name).statefulSet, ordinal)}`,
  );
  const bound = new Set(observed.claims.filter((claim) => claim.bound).map((claim) => claim.name));
  const missing = expected.filter((name) => !bound.has(name));
  if (missing.length === 0) return verdict("StorageReady", "True", "Bound", "every claim is bound");
  const lost = observed.claims.filter((claim) => claim.lost).map((claim) => claim.name);
  if (lost.length > 0) return verdict("StorageReady", "False", "VolumeLost", lostMessage(lost));
  const made = observed.claims.filter((claim) => missing.includes(claim.name));
  const message =
    made.length === 0
      ? `${missing.join(", ")} comes with its pod; see the Available condition`
      : unboundMessage(node, made);
  return verdict("StorageReady", "False", "Pending", message);
}

function unboundMessage(node: EffectiveNode, claims: readonly ObservedClaim[]): string {
  const names = claims.map((claim) => claim.name);
  const unbound = `not bound yet: ${names.join(", ")}`;
  if (!claims.some((claim) => differs(claim, node.storage)))
    return `${unbound}; see whether ${storageClassText(node)} exists and makes volumes: kubectl describe pvc ${names.join(" ")}`;
  const both = names.map((name) => `pvc/${name} pod/${name.slice(DATA_VOLUME.length + 1)}`);
  return `${unbound}, and made before spec.storage was changed; kubectl delete ${both.join(" ")}: they come back as it says now`;
}

function lostMessage(claims: readonly string[]): string {
  const names = claims.join(" ");
  return `${names} lost its volume and what was in it: restore the volume from a backup, or kubectl delete pvc ${names} and its pod to begin with an empty one`;
}

function storageClassText({ storage }: EffectiveNode): string {
  return storage.className === undefined ? "a default StorageClass" : `StorageClass ${storage.className}`;
}

export function shrinkMessage(wanted: string, current: string): string {
  return `spec.storage.size is ${wanted} but the volume has ${current} and volumes only grow; set spec.storage.size to ${current} or more`;
}

/** A volume keeps class and access mode for life. Says so when the spec asks for others; undefined when it does not. */
export function keptMessage({ storage }: EffectiveNode, { claims }: ObservedState): string | undefined {
  const kept = claims.find((claim) => claim.bound && differs(claim, storage));
  if (kept === undefined) return undefined;
  const { name, className = "no class", accessModes } = kept;
  const [field, wanted, actual] =
    storage.className === undefined || storage.className === className
      ? ["spec.storage.accessMode", storage.accessMode, accessModes.join(", ")]
      : ["spec.storage.className", storage.className, className];
  return `${field} is ${wanted}, but volume ${name} was made with ${actual} and keeps that; for another volume make a new ArchiveNode and copy the files`;
}

function differs(claim: ObservedClaim, { className, accessMode }: EffectiveNode["storage"]): boolean {
  return (className !== undefined && className !== claim.className) || !claim.accessModes.includes(accessMode);
}

/** Sum of storage the claims have, in the words of the smallest one: what every pod can count on. */
export function smallestCapacity(observed: ObservedState): string | undefined {
  const capacities = observed.claims.flatMap((claim) => (claim.capacity === undefined ? [] : [claim.capacity]));
  return capacities.sort((a, b) => quantityBytes(a) - quantityBytes(b))[0];
}
