/** What a discovered peer's object should be, and what is to happen with the one that is there. Pure. */
import { createHash } from "node:crypto";
import { API_VERSION, type ArchiveNode, type FederationPeer, LABEL_VALUES, LABELS } from "@archivestream/crds";
import type { KubeObject, OwnerReference } from "../../kube/objects.ts";
import type { FederationReports } from "../federation-facts.ts";
import type { ResolvedPeer } from "../resolved-peers.ts";

export type StoredPeer = FederationPeer & KubeObject;

export interface WantedPeer extends KubeObject {
  readonly spec: Pick<FederationPeer["spec"], "nodeID" | "origin" | "endpoints">;
}

/** An ArchiveNode and what its pods report. */
export interface Witness {
  readonly node: ArchiveNode;
  readonly reports: readonly FederationReports[];
}

export interface DiscoveryView {
  readonly nodeID: string;
  readonly namespace: string;
  readonly witnesses: readonly Witness[];
  /** Of the namespace. */
  readonly peers: readonly ResolvedPeer[];
  readonly stored: StoredPeer | undefined;
}

export type Step =
  | { readonly do: "nothing" }
  /** Nobody vouches for a peer that nobody decided on. */
  | { readonly do: "expire" }
  /** Somebody wrote an object for the same archive, and it is accepted. */
  | { readonly do: "remove" }
  | { readonly do: "apply"; readonly object: WantedPeer };

export const DEFAULT_MAX_PEERS = 200;
export const DEFAULT_TTL = "72h";
/** 24 characters of base32 are 120 bits: nobody finds two keys with the same name. */
const NAME_LENGTH = 24;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
const BITS_PER_CHARACTER = 5n;

/** Name of the object for a node id. */
export function discoveredName(nodeID: string): string {
  const digest = createHash("sha256")
    .update(nodeID)
    .digest()
    .subarray(0, (NAME_LENGTH * 5) / 8);
  const bits = BigInt(`0x${digest.toString("hex")}`);
  const characters = Array.from({ length: NAME_LENGTH }, (_, index) => {
    const shift = BITS_PER_CHARACTER * BigInt(NAME_LENGTH - 1 - index);
    return BASE32[Number((bits >> shift) & 31n)];
  });
  return `gp-${characters.join("")}`;
}

export function proposes({ spec }: ArchiveNode): boolean {
  return spec.discovery?.mode === "Propose" || spec.discovery?.mode === "AutoAdmit";
}

export function nextStep(view: DiscoveryView): Step {
  const { nodeID, stored, peers } = view;
  if (isForeign(stored)) return { do: "nothing" };
  const twins = peers.filter((peer) => peer.origin === "Authored" && peer.nodeID === nodeID);
  if (twins.length > 0)
    return { do: stored !== undefined && twins.some(({ object }) => isAccepted(object)) ? "remove" : "nothing" };
  return stepByWitnesses(view);
}

/** A name of ours that somebody took for an object of their own, or an object that is going. */
function isForeign(stored: StoredPeer | undefined): boolean {
  if (stored === undefined) return false;
  return stored.spec.origin !== "Discovered" || stored.metadata.deletionTimestamp !== undefined;
}

function stepByWitnesses(view: DiscoveryView): Step {
  const { nodeID, stored } = view;
  const vouching = view.witnesses.filter((witness) => vouches(witness, view));
  const endpoints = vouching.flatMap(({ reports }) => endpointsOf(reports, nodeID));
  const isDecided = (stored?.spec.admission ?? "Pending") !== "Pending";
  if (vouching.length === 0) return { do: stored === undefined || isDecided ? "nothing" : "expire" };
  // Whoever is left kept its owners until the first report after a start: there is nothing to say yet.
  if (endpoints.length === 0 && stored === undefined) return { do: "nothing" };
  const owners = isDecided ? view.witnesses.filter((one) => vouching.includes(one) || owns(one, stored)) : vouching;
  const object = wantedPeer(view, owners, endpoints);
  return stored !== undefined && isAsWanted(stored, object) ? { do: "nothing" } : { do: "apply", object };
}

/** A node that has not reported since this process began still vouches for what it owns. */
function vouches(witness: Witness, { nodeID, stored }: DiscoveryView): boolean {
  const { node, reports } = witness;
  if (!proposes(node) || node.spec.discovery?.deny?.includes(nodeID) === true) return false;
  const pages = reports.flatMap(({ discoveries }) => discoveries ?? []);
  if (pages.length === 0) return owns(witness, stored);
  return pages.some(({ discoveries }) => discoveries.some((one) => one.nodeID === nodeID));
}

function owns({ node }: Witness, stored: StoredPeer | undefined): boolean {
  return stored?.metadata.ownerReferences?.some(({ uid }) => uid === node.metadata.uid) ?? false;
}

function endpointsOf(reports: readonly FederationReports[], nodeID: string): readonly string[] {
  const found = reports.flatMap(({ discoveries }) => discoveries?.discoveries ?? []);
  return found.filter((one) => one.nodeID === nodeID).flatMap(({ endpoints }) => endpoints);
}

const MAX_ENDPOINTS = 8;

function wantedPeer(
  { nodeID, namespace, stored }: DiscoveryView,
  owners: readonly Witness[],
  urls: readonly string[],
): WantedPeer {
  const https = [...new Set(urls)].filter((url) => url.startsWith("https://")).sort();
  const given = https.slice(0, MAX_ENDPOINTS).map((url, index) => ({ name: `e${index + 1}`, url }));
  // Reports are still to come: what was learnt before stays.
  const endpoints = urls.length === 0 ? (stored?.spec.endpoints ?? []) : given;
  return {
    apiVersion: API_VERSION,
    kind: "FederationPeer",
    metadata: {
      name: discoveredName(nodeID),
      namespace,
      labels: { [LABELS.origin]: LABEL_VALUES.originDiscovered },
      ownerReferences: owners.map(({ node }) => ownerOf(node)),
    },
    spec: { nodeID, origin: "Discovered", ...(endpoints.length === 0 ? {} : { endpoints }) },
  };
}

function ownerOf({ metadata: { name, uid } }: ArchiveNode): OwnerReference {
  return { apiVersion: API_VERSION, kind: "ArchiveNode", name, uid, controller: false, blockOwnerDeletion: true };
}

function isAsWanted({ metadata, spec }: StoredPeer, wanted: WantedPeer): boolean {
  const uids = (owners: readonly OwnerReference[] = []) => JSON.stringify(owners.map(({ uid }) => uid).sort());
  const urls = ({ endpoints = [] }: WantedPeer["spec"]) =>
    JSON.stringify(endpoints.map(({ name, url }) => [name, url]));
  return (
    metadata.labels?.[LABELS.origin] === LABEL_VALUES.originDiscovered &&
    uids(metadata.ownerReferences) === uids(wanted.metadata.ownerReferences) &&
    urls(spec) === urls(wanted.spec)
  );
}

export function isAccepted({ status }: FederationPeer): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Accepted" && is === "True") ?? false;
}
