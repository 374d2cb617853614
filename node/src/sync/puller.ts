/** Keeps one target running for each collection and peer of the policies in force, and tells how they stand. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PolicyEntry } from "../contract/documents.ts";
import { type PlannedTarget, targetKey } from "./plan.ts";
import { Target, type TargetDeps } from "./target.ts";
import type { WantedStore } from "./wanted-store.ts";

export interface PullerDeps extends Omit<TargetDeps, "store"> {
  readonly store: WantedStore;
  /** Of part files. */
  readonly folder: string;
}

const PART = /^([0-9a-f]{64})\.part$/;
const LEFT_PER_CALL = 1_000;

export class Puller {
  readonly #deps: PullerDeps;
  readonly #stopping = new AbortController();
  #current: Running | undefined;
  #policies: readonly PolicyEntry[] = [];
  #stopped = false;

  constructor(deps: PullerDeps) {
    this.#deps = deps;
  }

  get targets(): readonly Target[] {
    return [...(this.#current?.targets.values() ?? [])];
  }

  get policies(): readonly PolicyEntry[] {
    return this.#policies;
  }

  find(peer: string, collection: string): Target | undefined {
    return this.#current?.targets.get(targetKey(peer, collection));
  }

  /** Takes other policies: what runs ends first, and goes on from the store where the new ones want it too. */
  async follow(policies: readonly PolicyEntry[], planned: readonly PlannedTarget[]): Promise<void> {
    await this.#end();
    if (this.#stopped) return;
    this.#policies = policies;
    const { store, folder } = this.#deps;
    await mkdir(folder, { recursive: true });
    const stored = await store.load(
      planned.map(({ peer, collection }) => ({ peer, collection })),
      this.#stopping.signal,
    );
    const known = new Map(stored.map((pair) => [targetKey(pair.peer, pair.collection), pair]));
    await this.#sweep();
    const ending = new AbortController();
    const targets = new Map<string, Target>();
    const ended: Promise<void>[] = [];
    for (const plan of planned) {
      const key = targetKey(plan.peer, plan.collection);
      const pair = known.get(key);
      if (pair === undefined) continue;
      const target = new Target(plan, pair, this.#deps);
      targets.set(key, target);
      ended.push(this.#keepRunning(target, ending.signal));
    }
    this.#current = { targets, ending, ended };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort(new DOMException("the node stops", "AbortError"));
    await this.#end();
    await this.#deps.store.close();
  }

  async #end(): Promise<void> {
    const { ending, ended } = this.#current ?? {};
    ending?.abort(new DOMException("other policies are in force", "AbortError"));
    await Promise.all(ended ?? []);
  }

  /** A failure of the store, such as a full volume, ends no target for good. */
  async #keepRunning(target: Target, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await target.run(signal);
      } catch (error) {
        const { peer, collection } = target.planned;
        this.#deps.logger.error({ err: error, peer, collection }, "pulling from a peer failed; it is begun again");
        await pause(AGAIN_MS, signal);
      }
    }
  }

  /** Part files that nobody wants any more, as after a policy was taken back. */
  async #sweep(): Promise<void> {
    const { store, folder } = this.#deps;
    const parts = (await readdir(folder)).filter((name) => PART.test(name));
    for (let at = 0; at < parts.length; at += LEFT_PER_CALL) {
      const some = parts.slice(at, at + LEFT_PER_CALL);
      const hashes = some.map((name) => PART.exec(name)?.[1] ?? "");
      const wanted = new Set(await store.call("wanted", hashes));
      for (const hash of hashes) if (!wanted.has(hash)) await rm(join(folder, `${hash}.part`), { force: true });
    }
  }
}

interface Running {
  readonly targets: ReadonlyMap<string, Target>;
  readonly ending: AbortController;
  readonly ended: readonly Promise<void>[];
}

const AGAIN_MS = 10_000;

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => resolve(), { once: true });
  if (!signal.aborted) await promise;
  clearTimeout(timer);
}
