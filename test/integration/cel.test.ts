/** Every CEL rule both ways on a real API server; crds/src/cel.test.ts does the same in JavaScript. */
import { KINDS, type KindName } from "@archivestream/crds";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CelCase } from "../../crds/test/cel-cases/case.ts";
import { CEL_CASES } from "../../crds/test/cel-cases.ts";
import { rulesOf } from "../../crds/test/cel-evaluator.ts";
import { startApiServer } from "../cluster/api-server.ts";
import { type ApiAnswer, type ApiUser, apiUser } from "../testkit/api-user.ts";
import { applyKinds, makeNamespace, pathOf } from "../testkit/kinds-in-cluster.ts";

const NAMESPACE = `cel-${crypto.randomUUID().slice(0, 8)}`;
const cleanUp = new AsyncDisposableStack();
let admin: ApiUser;
let objects = 0;

beforeAll(async () => {
  const server = await startApiServer({ signal: AbortSignal.timeout(150_000) });
  cleanUp.defer(() => server.stop());
  admin = cleanUp.use(await apiUser(server.kubeconfigPath));
  await applyKinds(admin);
  await makeNamespace(admin, NAMESPACE);
});
afterAll(async () => {
  await cleanUp.disposeAsync();
});

/** Creates the case's object, or stores the old one and updates it. */
async function attempt(kind: KindName, { name, old, spec }: CelCase): Promise<ApiAnswer> {
  const metadata = { name: name ?? `case-${objects++}` };
  const object = { apiVersion: "archivestream.io/v1alpha1", kind, metadata };
  const create = (body: object) => admin.ask({ method: "POST", path: pathOf(kind, NAMESPACE), body });
  if (old === undefined) return create({ ...object, spec });
  const stored = await create({ ...object, spec: old });
  expect(stored.body.message).toBeUndefined();
  return admin.ask({
    method: "PUT",
    path: pathOf(kind, NAMESPACE, metadata.name),
    body: { ...object, metadata: { ...metadata, resourceVersion: stored.body.metadata?.resourceVersion }, spec },
  });
}

const messages = new Map(
  (Object.keys(KINDS) as KindName[]).flatMap((kind) => rulesOf(kind).map(({ rule }) => [rule.id, rule.message])),
);

/** What the API server puts before a rule's message: the kind of error, sometimes the value. */
const LABEL = /^(Invalid value|Forbidden|Required value): /;

/** A failure that is the rule's way to refuse: CEL has no other way to ask whether a time zone is known. */
const REFUSING = /unknown time zone \S+ evaluating rule: $/;

/** The rule's message without the API server's words; a rule that failed to evaluate says more and is not cut. */
function ruleMessage(said: string, wanted: string): string {
  const words = said.endsWith(wanted) ? said.slice(0, -wanted.length) : said;
  const label = words.replace(REFUSING, "");
  return LABEL.test(label) && !label.includes("evaluating rule") ? said.slice(words.length) : said;
}

describe.each(Object.entries(CEL_CASES))("%s", (id, { kind, accepts, refuses }) => {
  it.each(accepts)("accepts: $why", async (one) => {
    const { status, body } = await attempt(kind, one);
    expect(body.message).toBeUndefined();
    expect(status).toBe(one.old === undefined ? 201 : 200);
  });

  it.each(refuses)("refuses: $why", async (one) => {
    const { status, body } = await attempt(kind, one);
    expect(status, body.message).toBe(422);
    const wanted = messages.get(id) ?? "";
    expect(body.details?.causes?.map(({ message = "" }) => ruleMessage(message, wanted))).toEqual([wanted]);
  });
});
