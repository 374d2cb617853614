/** Which namespaces are watched for users' Secrets, who is woken by what, and that no watch outlives its use. */
import { expect, test } from "vitest";
import type { KubeObject } from "../../kube/objects.ts";
import { ObjectCache } from "../../runtime/cache.ts";
import type { Reflector } from "../../runtime/reflector.ts";
import { keyText } from "../objects.ts";
import { RESOURCES } from "../resource-types.ts";
import { SecretWatch, WATCHED_SECRETS } from "./secret-watch.ts";

function setUp() {
  const caches = new Map<string, ObjectCache<KubeObject>>();
  const running = new Set<string>();
  const woken: string[] = [];
  const reflector = (namespace: string): Reflector<KubeObject> => {
    const cache = new ObjectCache<KubeObject>(() => undefined);
    caches.set(namespace, cache);
    return {
      resource: RESOURCES.Secret,
      cache,
      metadataOnly: true,
      optional: false,
      state: "watching",
      lastContactMs: 0,
      freshForMs: 0,
      run: async (signal) => {
        running.add(namespace);
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
        running.delete(namespace);
      },
    };
  };
  const watch = new SecretWatch({ reflector, changed: (node) => woken.push(keyText(node)) });
  const secret = (namespace: string, name: string, resourceVersion: string) =>
    caches
      .get(namespace)
      ?.upsert({ apiVersion: "v1", kind: "Secret", metadata: { namespace, name, uid: name, resourceVersion } });
  return { watch, caches, running, woken, secret };
}

const NODE = { namespace: "a", name: "one" };
const OTHER = { namespace: "a", name: "two" };

test("a node is woken for its Secret and for no other", () => {
  const { watch, woken, secret } = setUp();
  watch.want(NODE, "mine");
  watch.want(OTHER, "yours");
  secret("a", "mine", "1");
  secret("a", "nobodys", "2");
  expect(woken).toEqual(["a/one"]);
  expect(watch.version({ namespace: "a", name: "mine" })).toBe("1");
  watch.want(NODE, "yours");
  woken.splice(0);
  secret("a", "mine", "3");
  secret("a", "yours", "4");
  expect(woken.sort()).toEqual(["a/one", "a/two"]);
});

test("a namespace is watched from the first wish to the last, also for wishes before the start", async () => {
  const { watch, running } = setUp();
  const stop = new AbortController();
  watch.want(NODE, "mine");
  const ended = watch.run(stop.signal);
  watch.want(OTHER, "mine");
  watch.want({ namespace: "b", name: "x" }, "mine");
  expect([...running].sort()).toEqual(["a", "b"]);
  watch.forget(NODE);
  watch.forget({ namespace: "b", name: "x" });
  await Promise.resolve();
  expect([...running]).toEqual(["a"]);
  watch.forget(OTHER);
  watch.forget(OTHER);
  watch.want(NODE, "mine");
  stop.abort();
  await ended;
  expect([...running]).toEqual([]);
});

test("nothing counts as noticed before the first list", () => {
  const { watch, caches } = setUp();
  expect(watch.isLive("a")).toBe(false);
  watch.want(NODE, "mine");
  expect(watch.isLive("a")).toBe(false);
  caches.get("a")?.replace([]);
  expect(watch.isLive("a")).toBe(true);
});

test("what cannot hold an identity is left out by the API server", () => {
  expect(WATCHED_SECRETS.split(",")).toContain("type!=helm.sh/release.v1");
  expect(WATCHED_SECRETS).not.toContain("Opaque");
});
