import { generateKeyPairSync } from "node:crypto";
import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { createFakeClock } from "../../../test/testkit/fake-clock.ts";
import type { TrustDocument, TrustEntry } from "../contract/documents.ts";
import { firstTrustDocument } from "../identity/first-documents.ts";
import { PeerSessions } from "./sessions.ts";
import { Trust } from "./trust.ts";
import { TrustExpiry } from "./trust-expiry.ts";

const [ALICE, BOB] = ["a".repeat(64), "b".repeat(64)] as const;
const DAY_MS = 24 * 3_600_000;
const { privateKey } = generateKeyPairSync("ed25519");

class FakeConnection extends EventEmitter {
  isCut = false;
  destroy(): void {
    this.isCut = true;
    this.emit("close");
  }
}

/** A node that takes calls of Alice and Bob, each over a connection of its own. */
function nodeTrusting(mode: TrustDocument["mode"] = "Private") {
  const clock = createFakeClock();
  const nowMs = () => clock.now();
  let document: TrustDocument = firstTrustDocument("n", new Date(clock.now()), mode);
  const trust = new Trust(
    () => document,
    () => "",
    nowMs,
  );
  const sessions = new PeerSessions(() => privateKey, trust, nowMs);
  let ends = 0;
  const expired = () => {
    ends += 1;
    sessions.endRefused();
  };
  const expiry = new TrustExpiry(() => document, expired, { nowMs, after: (ms, act) => clock.after(ms, act) });
  const at = (inMs: number) => new Date(clock.now() + inMs).toISOString();
  const entry = (nodeID: string, inMs?: number): TrustEntry => ({
    ...{ nodeID, pins: [] },
    ...(inMs === undefined ? {} : { notAfter: at(inMs) }),
  });
  const change = (...entries: readonly TrustEntry[]) => {
    document = { ...document, sequence: document.sequence + 1, entries: [...entries] };
    expiry.watch();
  };
  const call = (nodeId: string) => {
    const connection = new FakeConnection();
    const { token } = sessions.issue(nodeId);
    expect(sessions.peerOf(token, connection)).toMatchObject({ nodeId });
    return { connection, isKnown: () => sessions.peerOf(token, new FakeConnection()) !== undefined };
  };
  return { clock, expiry, change, call, entry, ends: () => ends };
}

test.each(["Private", "Public"] as const)("a peer's session and connections end with its time on a %s node", (mode) => {
  const { clock, change, call, entry } = nodeTrusting(mode);
  change(entry(ALICE, 5_000), entry(BOB, 70_000));
  const [alice, bob] = [call(ALICE), call(BOB)];
  clock.advance(4_999);
  expect([alice.isKnown(), alice.connection.isCut]).toEqual([true, false]);
  clock.advance(1);
  expect([alice.isKnown(), alice.connection.isCut]).toEqual([false, true]);
  expect([bob.isKnown(), bob.connection.isCut]).toEqual([true, false]);
  clock.advance(65_000);
  expect([bob.isKnown(), bob.connection.isCut]).toEqual([false, true]);
  expect(clock.waiting).toBe(0);
});

test("whoever another entry still lets in goes on", () => {
  const { clock, change, call, entry, ends } = nodeTrusting();
  change(entry(ALICE, 5_000), entry(ALICE, 9_000));
  const alice = call(ALICE);
  clock.advance(5_000);
  expect([ends(), alice.connection.isCut]).toEqual([1, false]);
  clock.advance(4_000);
  expect([ends(), alice.connection.isCut]).toEqual([2, true]);
});

test("the newest document decides when: time may be added, taken, and given back", () => {
  const { clock, change, call, entry, ends } = nodeTrusting();
  change(entry(ALICE, 5_000));
  const alice = call(ALICE);
  change(entry(ALICE, 20_000));
  clock.advance(15_000);
  expect([ends(), alice.connection.isCut]).toEqual([0, false]);
  change(entry(ALICE, 1_000));
  clock.advance(1_000);
  expect([ends(), alice.connection.isCut]).toEqual([1, true]);
  change(entry(ALICE));
  expect([alice.isKnown(), clock.waiting]).toEqual([true, 0]);
});

test("a time beyond what timers take is waited for, and a machine that slept over it finds out soon", () => {
  const { clock, change, entry, ends, expiry } = nodeTrusting();
  change(entry(ALICE, 40 * DAY_MS));
  clock.advance(39 * DAY_MS);
  expect(ends()).toBe(0);
  clock.sleepThrough(2 * DAY_MS);
  clock.advance(60_000);
  expect([ends(), clock.waiting]).toEqual([1, 0]);
  change(entry(BOB, 1_000));
  expiry.stop();
  clock.advance(DAY_MS);
  expect([ends(), clock.waiting]).toEqual([1, 0]);
});
