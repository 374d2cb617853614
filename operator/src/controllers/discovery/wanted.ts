/** What a discovered peer's object should be, and what is to happen with the one that is there. Pure. */
import { createHash } from "node:crypto";
import { API_VERSION, type ArchiveNode, type FederationPeer, LABEL_VALUES, LABELS } from "@archivestream/crds";
import type { AdminDiscoveries } from "@archivestream/node/contract";
import type { KubeObject, OwnerReference } from "../../kube/objects.ts";
import type { FederationReports } from "../federation-facts.ts";
import { discoveriesById } from "../report-index.ts";
import type { ResolvedPeer } from "../resolved-peers.ts";
import { type Allotment, proposes } from "./allotment.ts";

export type StoredPeer = FederationPeer & KubeObject;

export interface WantedPeer extends KubeObject {
  readonly spec: Pick<FederationPeer["spec"], "nodeID" | "origin" | "endpoints">;
}

/** An ArchiveNode and what its pods report. */
export interface Witness {
  readonly node: ArchiveNode;
  readonly reports: readonly FederationReports[];
  readonly allotment: Allotment;
}

export interface DiscoveryView {
  readonly nodeID: string;
  readonly namespace: string;
  readonly witnesses: readonly Witness[];
  /** Of the namespace and of this node id. */
  readonly peers: readonly ResolvedPeer[];
  readonly stored: StoredPeer | undefined;
}

export type Step =
  | { readonly do: "nothing" }
  /**
   * Nobody vouches any more for a peer that nobody decided on, or somebody wrote an object for the same archive, and it is
   * accepted.
   */
  | { readonly do: "remove" }
  | { readonly do: "apply"; readonly object: WantedPeer };

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

const names = new WeakMap<AdminDiscoveries, ReadonlyMap<string, string>>();

/** Node ids that a page offers, by the name of the object for each. */
export function idsByName(page: AdminDiscoveries): ReadonlyMap<string, string> {
  const known = names.get(page) ?? new Map(page.discoveries.map(({ nodeID }) => [discoveredName(nodeID), nodeID]));
  names.set(page, known);
  return known;
}

/** @param expired - UIDs of ArchiveNodes that were silent about the peer for longer than they wait */
export function nextStep(view: DiscoveryView, expired: ReadonlySet<string> = new Set()): Step {
  const { stored, peers } = view;
  if (isForeign(stored)) return { do: "nothing" };
  const twins = peers.filter(({ origin }) => origin === "Authored");
  if (twins.length > 0)
    return { do: stored !== undefined && twins.some(({ object }) => isAccepted(object)) ? "remove" : "nothing" };
  return stepByWitnesses(view, expired);
}

/** A name of ours that somebody took for an object of their own, or an object that is going. */
function isForeign(stored: StoredPeer | undefined): boolean {
  if (stored === undefined) return false;
  return stored.spec.origin !== "Discovered" || stored.metadata.deletionTimestamp !== undefined;
}

function stepByWitnesses(view: DiscoveryView, expired: ReadonlySet<string>): Step {
  const { nodeID, stored } = view;
  const isDecided = (stored?.spec.admission ?? "Pending") !== "Pending";
  const holding = view.witnesses.filter((witness) => {
    const stance = stanceOf(witness, view);
    return stance === "vouches" || (stance === "silent" && !expired.has(witness.node.metadata.uid));
  });
  if (holding.length === 0) return { do: stored === undefined || isDecided ? "nothing" : "remove" };
  const endpoints = holding.flatMap(({ reports }) => endpointsOf(reports, nodeID));
  // A decision keeps the owners it was made with.
  const owners = isDecided ? view.witnesses.filter((one) => holding.includes(one) || owns(one, stored)) : holding;
  const object = wantedPeer(view, owners, endpoints);
  return stored !== undefined && isAsWanted(stored, object) ? { do: "nothing" } : { do: "apply", object };
}

/**
 * What one node has to do with the peer. `silent`: it owns the object and does not tell of the peer now. `refuses`: its
 * `deny` names the peer, or it has no room for it.
 */
export type Stance = "vouches" | "silent" | "refuses" | "none";

export function stanceOf(witness: Witness, { nodeID, stored }: DiscoveryView): Stance {
  const { node, reports, allotment } = witness;
  const isOwner = owns(witness, stored);
  if (!proposes(node)) return isOwner ? "silent" : "none";
  if (node.spec.discovery?.deny?.includes(nodeID) === true) return "refuses";
  const pages = reports.flatMap(({ discoveries }) => discoveries ?? []);
  const isOffered = pages.some((page) => discoveriesById(page).has(nodeID));
  if (!isOffered && !isOwner) return "none";
  if (!allotment.kept.has(nodeID)) return "refuses";
  // A node that has not reported since this process began, or that cuts its list short, says nothing against what it owns.
  return isOffered || pages.length === 0 || pages.some(({ overBudget }) => overBudget) ? "vouches" : "silent";
}

function owns({ node }: Witness, stored: StoredPeer | undefined): boolean {
  return stored?.metadata.ownerReferences?.some(({ uid }) => uid === node.metadata.uid) ?? false;
}

function endpointsOf(reports: readonly FederationReports[], nodeID: string): readonly string[] {
  const pages = reports.flatMap(({ discoveries }) => discoveries ?? []);
  return pages.flatMap((page) => discoveriesById(page).get(nodeID)?.endpoints ?? []);
}

const MAX_ENDPOINTS = 8;

function wantedPeer(
  { nodeID, namespace, stored }: DiscoveryView,
  owners: readonly Witness[],
  urls: readonly string[],
): WantedPeer {
  const https = [...new Set(urls)].filter((url) => url.startsWith("https://")).sort();
  const given = https.slice(0, MAX_ENDPOINTS).map((url, index) => ({ name: `e${index + 1}`, url }));
  // What a person approved stays as it was seen, for it is dialled unfiltered; and what was learnt stays while nobody tells.
  const isFixed = urls.length === 0 || stored?.spec.admission === "Approved";
  const endpoints = isFixed ? (stored?.spec.endpoints ?? []) : given;
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
