/** Only what nobody but ourselves woke counts as our own doing. */
import { expect, test } from "vitest";
import { OwnWrites } from "../kube/own-writes.ts";
import { WakeCauses } from "./wake-causes.ts";

const object = (resourceVersion: string, uid = "u") => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "a", uid, resourceVersion },
});

function setUp(...own: string[]) {
  const writes = new OwnWrites();
  for (const version of own) writes.note(object(version));
  return { writes, causes: new WakeCauses(writes) };
}

test("versions that our writes returned are our own doing", () => {
  const { causes } = setUp("1", "2");
  causes.woken("k", object("1"), false);
  causes.woken("k", object("2"), false);
  expect(causes.take("k")).toBe("own-writes");
});

test("an event that overtook the answer to its write still counts as our own", () => {
  const { writes, causes } = setUp();
  causes.woken("k", object("1"), false);
  writes.note(object("1"));
  expect(causes.take("k")).toBe("own-writes");
});

test.each([
  ["another version", object("9"), false],
  ["the same version of another object", object("1", "other"), false],
  ["a deletion", object("1"), true],
])("%s among them is somebody else's doing", (_name, change, gone) => {
  const { causes } = setUp("1");
  causes.woken("k", object("1"), false);
  causes.woken("k", change, gone);
  expect(causes.take("k")).toBe("others");
});

test("a key without a change, and one whose changes were taken, has an unknown cause", () => {
  const { causes } = setUp("1");
  expect(causes.take("k")).toBe("unknown");
  causes.woken("k", object("1"), false);
  causes.take("k");
  expect(causes.take("k")).toBe("unknown");
});

test("a flood of changes between two runs counts as somebody else's, whoever made it", () => {
  const versions = Array.from({ length: 100 }, (_, index) => String(index));
  const { causes } = setUp(...versions);
  for (const version of versions) causes.woken("k", object(version), false);
  expect(causes.take("k")).toBe("others");
});

test("old writes are forgotten, so memory stays bounded", () => {
  const { writes } = setUp("first");
  expect(writes.has("u/first")).toBe(true);
  for (let index = 0; index < 20_000; index++) writes.note(object(`later-${index}`));
  expect(writes.has("u/first")).toBe(false);
  expect(writes.has("u/later-19999")).toBe(true);
});
