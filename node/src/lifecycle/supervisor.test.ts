import { expect, test } from "vitest";
import type { Component } from "./component.ts";
import { Supervisor } from "./supervisor.ts";

function setUp({ failStart = "", failStop = "" } = {}) {
  const events: string[] = [];
  const component = (name: string): Component => ({
    name,
    start: async () => {
      if (name === failStart) throw new Error(`${name} does not start`);
      events.push(`start ${name}`);
    },
    stop: async () => {
      events.push(`stop ${name}`);
      if (name === failStop) throw new Error(`${name} does not stop`);
    },
  });
  const supervisor = new Supervisor([component("a"), component("b"), component("c")], {
    started: () => {},
    stopFailed: (name) => events.push(`failed ${name}`),
  });
  return { supervisor, events };
}

const never = () => new AbortController().signal;

test("starts in order, stops in reverse", async () => {
  const { supervisor, events } = setUp();
  await supervisor.start(never(), 1_000);
  await supervisor.stop(1_000);
  expect(events).toEqual(["start a", "start b", "start c", "stop c", "stop b", "stop a"]);
});

test("a failed start stops what was started and says why", async () => {
  const { supervisor, events } = setUp({ failStart: "c" });
  await expect(supervisor.start(never(), 1_000)).rejects.toThrow("c does not start");
  expect(events).toEqual(["start a", "start b", "stop b", "stop a"]);
});

test("one that does not stop does not keep the others up", async () => {
  const { supervisor, events } = setUp({ failStop: "b" });
  await supervisor.start(never(), 1_000);
  await supervisor.stop(1_000);
  expect(events.slice(3)).toEqual(["stop c", "stop b", "failed b", "stop a"]);
});

test("an abort before the start starts nothing", async () => {
  const { supervisor, events } = setUp();
  await expect(supervisor.start(AbortSignal.abort(), 1_000)).rejects.toThrow();
  expect(events).toEqual([]);
});
