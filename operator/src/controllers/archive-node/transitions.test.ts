/** Events are for what changed and matters to a person. */
import type { ArchiveNodeStatus } from "@archivestream/crds";
import { expect, test } from "vitest";
import { archiveNode } from "../../../../test/testkit/archive-node-builder.ts";
import { announceTransitions, transitionNotes } from "./transitions.ts";

function status(type: string, value: "True" | "False" | "Unknown", reason = "Because"): ArchiveNodeStatus {
  const condition = { type, status: value, reason, message: "the message", lastTransitionTime: "2026-11-24T00:00:00Z" };
  return { conditions: [condition] } as ArchiveNodeStatus;
}
const noted = (before: ArchiveNodeStatus | undefined, after: ArchiveNodeStatus) =>
  transitionNotes(before, after).map(({ type, note }) => `${type} ${note}`);

test.each([
  ["Ready", "False", "True", ["Normal Ready: the message"]],
  ["Ready", "True", "False", ["Warning Ready: the message"]],
  ["Stalled", "False", "True", ["Warning Stalled: the message"]],
  ["Stalled", "True", "False", ["Normal Stalled: the message"]],
  ["StorageReady", "True", "False", ["Warning StorageReady: the message"]],
  ["Ready", "True", "Unknown", []],
  ["Ready", "True", "True", []],
  ["Available", "True", "False", []],
] as const)("%s from %s to %s", (type, from, to, expected) => {
  expect(noted(status(type, from), status(type, to))).toEqual(expected);
});

test("another reason is news too", () => {
  expect(noted(status("Ready", "False", "One"), status("Ready", "False", "Two"))).toEqual([
    "Warning Ready: the message",
  ]);
});

test("a first status tells what is ready or stuck, not what has yet to come", () => {
  expect(noted(undefined, status("Ready", "False"))).toEqual([]);
  expect(noted(undefined, status("Stalled", "True"))).toEqual(["Warning Stalled: the message"]);
  expect(noted(undefined, status("Ready", "True"))).toEqual(["Normal Ready: the message"]);
});

test.each([
  ["CertificateValid", undefined],
  ["CertificateValid", status("CertificateValid", "Unknown", "Pending")],
  ["StorageReady", status("StorageReady", "False", "Pending")],
])("%s on the way to the first Ready is no news", (type, before) => {
  expect(noted(before, status(type, "True"))).toEqual([]);
});

test("the end of trouble is news, also on the way to the first Ready", () => {
  const before = status("CertificateValid", "False", "SecretNotFound");
  expect(noted(before, status("CertificateValid", "True"))).toEqual(["Normal CertificateValid: the message"]);
});

test("a claim that is bound again after the first Ready is news", () => {
  const before = { ...status("StorageReady", "False", "Pending"), version: { current: "0.1.0" } };
  expect(noted(before as ArchiveNodeStatus, status("StorageReady", "True"))).toEqual([
    "Normal StorageReady: the message",
  ]);
});

test("pods that start are no news before the first Ready; taking long is, once, with what is awaited", () => {
  const starting = status("Ready", "False", "NotAvailable");
  expect(noted(status("Ready", "Unknown", "Pending"), starting)).toEqual([]);
  const late = status("Reconciling", "True", "TakesLong");
  expect(noted(status("Reconciling", "True", "Progressing"), late)).toEqual(["Warning Reconciling: the message"]);
  expect(noted(late, late)).toEqual([]);
  expect(noted(undefined, status("Reconciling", "True", "Progressing"))).toEqual([]);
});

test("pods that stop to serve after the first Ready are news at once", () => {
  const before = { ...status("Ready", "True", "Ready"), version: { current: "0.1.0" } } as ArchiveNodeStatus;
  const after = { ...status("Ready", "False", "NotAvailable"), version: { current: "0.1.0" } } as ArchiveNodeStatus;
  expect(noted(before, after)).toEqual(["Warning Ready: the message"]);
});

test("every note is announced about the node itself", async () => {
  const node = archiveNode({ status: status("Ready", "False") });
  const announced: unknown[] = [];
  const announce = async (about: unknown, note: object) => {
    announced.push([about === node, note]);
  };
  await announceTransitions(announce, node, status("Ready", "True", "Serving"), new AbortController().signal);
  const note = { type: "Normal", reason: "Serving", action: "Reconcile", note: "Ready: the message" };
  expect(announced).toEqual([[true, note]]);
});
