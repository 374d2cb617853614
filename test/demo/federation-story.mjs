/**
 * The demo's story, step by step, as commands that a reader can repeat: two archives that know, search and copy each other,
 * and a third from outside that is approved. The demo prints what a step shows; the end-to-end tests look at it.
 * Node 20, no dependencies.
 */
import { setTimeout as delay } from "node:timers/promises";
import { PlainError } from "../run/steps.mjs";
import { SITE_URL } from "./documentation-site.mjs";
import { COLLECTIONS } from "./fill-archives.mjs";
import {
  ARCHIVES,
  approveCommand,
  fileNamesCommand,
  lookUpCommand,
  PENDING_COMMAND,
  searchCommand,
  shell,
} from "./reader-commands.mjs";

export const QUESTIONS = ["vacuum freeze wraparound", '"write ahead log" archiving', "jsonb index"];
const PEERS_READY_SECONDS = 120;
const WAIT_MS = 120_000;
const LOOK_MS = 500;

export const GET_COMMAND = "kubectl -n $NAMESPACE get anode,fpeer,spol";
export const READY_COMMANDS = [
  `kubectl -n $NAMESPACE wait anode/library anode/annex --for=condition=Ready --timeout=180s`,
  `kubectl -n $NAMESPACE wait fpeer/library fpeer/annex --for=condition=Ready --timeout=${PEERS_READY_SECONDS}s`,
];

/** A page of the manual as CDX servers name it, in the archive that a file of it was uploaded to. */
export const pageCommand = () =>
  lookUpCommand(ARCHIVES.library, COLLECTIONS.library, `${new URL(SITE_URL).host}/sql-vacuum.html`);

export const questionCommand = (question) => searchCommand(ARCHIVES.library, question);
/** Hits enough that one is of the archive outside, however the crawl was cut into files. */
export const wideQuestionCommand = (limit) => searchCommand(ARCHIVES.library, "streaming replication protocol", limit);
export const copiedFilesCommand = () => fileNamesCommand(ARCHIVES.annex, COLLECTIONS.annex);

/**
 * Asks until the answer has what is waited for, and returns it.
 *
 * @param {(printed: string) => boolean} isThere
 * @throws {PlainError} it did not come; the message holds the last answer
 */
export async function until(what, cluster, namespace, command, isThere) {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const printed = await shell(cluster, namespace, command);
    if (isThere(printed)) return printed;
    if (performance.now() > deadline)
      throw new PlainError(`Waited ${WAIT_MS / 1000} s for ${what}. The last answer of ${command}\n${printed}`);
    await delay(LOOK_MS);
  }
}

/** Name of the FederationPeer that discovery made for a node id, once it is there. */
export async function discoveredPeer(cluster, namespace, nodeId) {
  const line = (printed) => printed.split("\n").find((one) => one.includes(nodeId));
  const printed = await until("the archive outside to be discovered", cluster, namespace, PENDING_COMMAND, line);
  return line(printed).split(/\s+/)[0];
}

/** Approves it, and waits until the library speaks with it. */
export async function approve(cluster, namespace, peer) {
  await shell(cluster, namespace, approveCommand(peer));
  const ready = `kubectl -n $NAMESPACE wait fpeer/${peer} --for=condition=Ready --timeout=${PEERS_READY_SECONDS}s`;
  return await shell(cluster, namespace, ready);
}

export const holders = (printed) =>
  new Set([...printed.matchAll(/held by (.*)$/gm)].flatMap(([, ids]) => ids.split(", ")));
