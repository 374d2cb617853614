import { expect, test } from "vitest";
import { TransferSlots } from "./transfer-slots.ts";

const never = () => new AbortController().signal;

function setUp() {
  const slots = new TransferSlots({ overall: 3, perPeer: 2 });
  const begun: string[] = [];
  const take = (peer: string, name: string, signal = never()) =>
    slots.take(peer, signal).then((slot) => {
      begun.push(name);
      return slot;
    });
  return { begun, take };
}

test("one peer's files wait for each other, and another peer's pass them; the limit overall holds", async () => {
  const { begun, take } = setUp();
  const [first] = await Promise.all([take("a", "a1"), take("a", "a2")]);
  const third = take("a", "a3");
  await take("b", "b1");
  const fourth = take("b", "b2");
  await Promise.resolve();
  expect(begun).toEqual(["a1", "a2", "b1"]);
  first[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  await fourth;
  expect(begun).toEqual(["a1", "a2", "b1", "a3", "b2"]);
});

test("whoever gives up waiting takes no turn", async () => {
  const { begun, take } = setUp();
  const [first] = await Promise.all([take("a", "a1"), take("a", "a2")]);
  const giving = new AbortController();
  const given = take("a", "given", giving.signal);
  const next = take("a", "next");
  giving.abort(new Error("gone"));
  await expect(given).rejects.toThrow("gone");
  first[Symbol.dispose]();
  await next;
  expect(begun).toEqual(["a1", "a2", "next"]);
});
