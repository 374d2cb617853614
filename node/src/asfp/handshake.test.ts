import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../contract/canonical-json.ts";
import {
  firstRoundHash,
  type Meeting,
  proveAnswer,
  proveCall,
  provesAnswer,
  provesCall,
  transcriptOfAnswerer,
  transcriptOfCaller,
} from "./handshake.ts";
import type { SignedPeerRecord } from "./peer-record.ts";

const record = { record: { node_id: "aa", seq: 1 }, sig: "s" } as unknown as SignedPeerRecord;
const meeting: Meeting = {
  ...{ from: "aa", to: "bb", authority: "b.example:8443" },
  offered: { versions: ["1.0"], features: ["token"] },
  answered: { versions: ["1.0"], features: ["token", "feed"] },
  channel: Buffer.alloc(32, 7),
};
const changes: readonly (readonly [string, Partial<Meeting>])[] = [
  ["another caller", { from: "ac" }],
  ["another answerer", { to: "bc" }],
  ["another authority", { authority: "m.example:8443" }],
  ["fewer features offered", { offered: { versions: ["1.0"], features: [] } }],
  ["fewer features answered", { answered: { versions: ["1.0"], features: ["token"] } }],
  ["other versions", { offered: { versions: ["1.0", "0.9"], features: ["token"] } }],
  ["another connection", { channel: Buffer.alloc(32, 8) }],
];

describe("a proof", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");

  test.each(changes)("does not hold for %s", (_name, change) => {
    const answer = proveAnswer(transcriptOfAnswerer(meeting, "n", record), privateKey);
    const call = proveCall(transcriptOfCaller(meeting, "c", record), privateKey);
    expect(provesAnswer(transcriptOfAnswerer(meeting, "n", record), answer, publicKey)).toBe(true);
    expect(provesCall(transcriptOfCaller(meeting, "c", record), call, publicKey)).toBe(true);
    const changed = { ...meeting, ...change };
    expect(provesAnswer(transcriptOfAnswerer(changed, "n", record), answer, publicKey)).toBe(false);
    expect(provesCall(transcriptOfCaller(changed, "c", record), call, publicKey)).toBe(false);
  });

  test("does not hold for another nonce, challenge or record, nor one for the other side", () => {
    const answer = proveAnswer(transcriptOfAnswerer(meeting, "n", record), privateKey);
    const call = proveCall(transcriptOfCaller(meeting, "c", record), privateKey);
    const newer = { ...record, sig: "t" };
    expect(provesAnswer(transcriptOfAnswerer(meeting, "m", record), answer, publicKey)).toBe(false);
    expect(provesAnswer(transcriptOfAnswerer(meeting, "n", newer), answer, publicKey)).toBe(false);
    expect(provesCall(transcriptOfCaller(meeting, "d", record), call, publicKey)).toBe(false);
    expect(provesCall(transcriptOfCaller(meeting, "c", newer), call, publicKey)).toBe(false);
    const swapped = transcriptOfCaller(meeting, "c", record) as unknown as Parameters<typeof provesAnswer>[0];
    expect(provesAnswer(swapped, call, publicKey)).toBe(false);
  });
});

test("the bytes that are signed are these", () => {
  expect(canonicalJson(transcriptOfCaller(meeting, "c", record))).toBe(
    '{"authority":"b.example:8443","challenge":"c","channel":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",' +
      '"features":{"from":["token"],"to":["token","feed"]},"from":"aa",' +
      '"record":"sha256:755f6b04d387965ef0eae334c9b517b75fc81b5a90ea6f6f11bc1e9859e4e613","to":"bb",' +
      '"versions":{"from":["1.0"],"to":["1.0"]}}',
  );
});

test("a second round has the hash of the first, in any order of members", () => {
  const first = { node_id: "aa", version: "1.0", endpoint: "https://a.example", unknown: [1, { b: 2, a: 1 }] };
  const second = { proof: "p", unknown: [1, { a: 1, b: 2 }], challenge: "c", endpoint: "https://a.example" };
  expect(firstRoundHash({ ...second, node_id: "aa", version: "1.0" })).toEqual(firstRoundHash(first));
  expect(firstRoundHash({ ...first, endpoint: "https://b.example" })).not.toEqual(firstRoundHash(first));
});
