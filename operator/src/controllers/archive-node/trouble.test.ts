import { expect, test } from "vitest";
import { type PodStatus, troubleOf } from "./trouble.ts";

const waiting = (reason: string, message: string, rest: object = {}): PodStatus => ({
  containerStatuses: [{ image: "example.test/x:1", state: { waiting: { reason, message } }, ...rest }],
});

test("an image that cannot be pulled says the same at every attempt, and which field to change", () => {
  const first = troubleOf(waiting("ErrImagePull", "rpc error: not found"), "a-0");
  expect(troubleOf(waiting("ImagePullBackOff", 'Back-off pulling image "example.test/x:1"'), "a-0")).toBe(first);
  expect(first).toMatch(/^image example\.test\/x:1 cannot be pulled; correct spec\.image .*spec\.image\.pullSecrets$/);
});

test("a crash says the same however long the next attempt is put off, and where the reason is", () => {
  const crash = (seconds: number, terminated?: object) =>
    troubleOf(
      waiting("CrashLoopBackOff", `back-off ${seconds}s restarting failed container`, { lastState: { terminated } }),
      "a-0",
    );
  expect(crash(10, { reason: "Error", exitCode: 2 })).toBe(crash(40, { reason: "Error", exitCode: 2 }));
  expect(crash(10, { reason: "Error", exitCode: 2 })).toBe(
    "the archive ends again and again (Error, exit code 2); kubectl logs a-0 --previous",
  );
  expect(crash(10, { reason: "OOMKilled", exitCode: 137 })).toContain("raise spec.resources.limits.memory");
  expect(crash(10)).toContain("exit code unknown");
});

test("a pod without a place says what the scheduler says, without its remarks on preemption", () => {
  const message =
    "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
  expect(troubleOf({ conditions: [{ type: "PodScheduled", status: "False", message }] }, "a-0")).toBe(
    "cannot be scheduled: 0/1 nodes are available: 1 Insufficient cpu",
  );
});

test.each<[string, PodStatus, string]>([
  ["starts", {}, ""],
  ["runs", { containerStatuses: [{ state: {} }], conditions: [{ type: "PodScheduled", status: "True" }] }, ""],
  ["waits for its volumes", waiting("ContainerCreating", ""), ""],
  [
    "lacks a Secret",
    waiting("CreateContainerConfigError", 'secret "x" not found'),
    'CreateContainerConfigError: secret "x" not found',
  ],
])("a pod that %s", (_name, status, trouble) => {
  expect(troubleOf(status, "a-0")).toBe(trouble);
});

test("a pod without its volume points to what is said of the volume", () => {
  const message = "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found";
  expect(troubleOf({ conditions: [{ type: "PodScheduled", status: "False", message }] }, "a-0")).toBe(
    "waits for its volume, which is not bound; see the StorageReady condition",
  );
});
