/** Two operators in one cluster: each has the ArchiveNodes of its class, and leaves the pods of the other alone. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ArchiveWorld, archiveWorld } from "../testkit/archive-world.ts";
import { put, type RunningOperator, startOperator } from "../testkit/operator-under-test.ts";

const CLASS = "special";
const OTHER_NAMESPACE = "archive-special";
const cleanUp = new AsyncDisposableStack();
let world: ArchiveWorld;
let plain: RunningOperator;
let special: RunningOperator;

beforeAll(async () => {
  world = cleanUp.use(await archiveWorld({ namespace: "classes" }));
  await put(world.admin, { apiVersion: "v1", kind: "Namespace", metadata: { name: OTHER_NAMESPACE } }, world.signal);
  plain = cleanUp.use(await startOperator(world));
  const config = { className: CLASS, namespace: OTHER_NAMESPACE };
  special = cleanUp.use(await startOperator({ ...world, config }));
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

test("nodes of both classes become ready, and no pod is dialled by the operator of the other class", async () => {
  await world.create("alpha");
  await world.create("beta", { className: CLASS });
  await world.ready("alpha", "beta");
  // Whoever looks at the pods of these looks at those from before too.
  await world.create("alpha-later");
  await world.create("beta-later", { className: CLASS });
  await world.ready("alpha-later", "beta-later");
  const server = (name: string) => `${name}-0.${name}-headless.classes.svc`;
  expect(plain.standIn.dialled).toEqual(new Set([server("alpha"), server("alpha-later")]));
  expect(special.standIn.dialled).toEqual(new Set([server("beta"), server("beta-later")]));
});
