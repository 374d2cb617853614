/** Facts wake the controller that reports them when they change, and only then. */
import { expect, test } from "vitest";
import { FactBoard, type IdentityFact, type PodReport } from "./facts.ts";

const LOST: IdentityFact = { state: "lost", message: "gone" };
const silent = (podUid: string): PodReport => ({ state: "unreachable", podUid, message: "ECONNREFUSED" });

function setUp() {
  const woken: string[] = [];
  return { woken, board: new FactBoard((node) => woken.push(node)) };
}

test("an unknown node has no facts", () => {
  const { board } = setUp();
  expect(board.of("a/x")).toEqual({ pods: new Map() });
});

test("a changed fact wakes its own node; an equal one wakes nobody", () => {
  const { board, woken } = setUp();
  board.putIdentity("a/x", LOST);
  board.putIdentity("a/x", { ...LOST });
  expect(woken).toEqual(["a/x"]);
  board.putIdentity("a/x", { ...LOST, message: "still gone" });
  board.putIdentity("a/y", LOST);
  expect(woken).toEqual(["a/x", "a/x", "a/y"]);
});

test("the order in which pods reported does not matter", () => {
  const { board, woken } = setUp();
  board.putPod("a/x", "x-0", silent("1"));
  board.putPod("a/x", "x-1", silent("2"));
  board.putPod("a/x", "x-0", silent("1"));
  expect(woken).toHaveLength(2);
  expect(board.of("a/x").pods).toEqual(
    new Map([
      ["x-0", silent("1")],
      ["x-1", silent("2")],
    ]),
  );
});

test("a pod that goes takes its report along, once", () => {
  const { board, woken } = setUp();
  board.putIdentity("a/x", LOST);
  board.putPod("a/x", "x-0", silent("1"));
  board.dropPod("a/x", "x-0");
  board.dropPod("a/x", "x-0");
  expect(woken).toHaveLength(3);
  expect(board.of("a/x")).toEqual({ identity: LOST, pods: new Map() });
});

test("what was read before stays as it was", () => {
  const { board } = setUp();
  board.putPod("a/x", "x-0", silent("1"));
  const before = board.of("a/x");
  board.putPod("a/x", "x-1", silent("2"));
  expect(before.pods.size).toBe(1);
});

test("a forgotten node has no facts, and none is too many to forget", () => {
  const { board, woken } = setUp();
  board.putIdentity("a/x", LOST);
  board.forget("a/x");
  board.forget("a/x");
  expect(board.of("a/x")).toEqual({ pods: new Map() });
  expect(woken).toEqual(["a/x"]);
});
