/** Our kinds in a test's API server: applied as users apply them, and addressed by kind. */
import { readFile } from "node:fs/promises";
import { KINDS, type KindName } from "@archivestream/crds";
import type { ApiUser } from "./api-user.ts";
import { waitUntil } from "./wait-until.ts";

const GROUP_PATH = "/apis/archivestream.io/v1alpha1";
const DEFINITIONS_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const ESTABLISHED_DEADLINE_MS = 30_000;

export interface KindStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message: string }[];
  readonly acceptedNames?: object;
}

/** Path of the objects of a kind in a namespace, or of one of them. */
export function pathOf(kind: KindName, namespace: string, name?: string): string {
  const objects = `${GROUP_PATH}/namespaces/${namespace}/${KINDS[kind].plural}`;
  return name === undefined ? objects : `${objects}/${name}`;
}

/** Applies the manifests of `crds/` and waits until the API server serves them; their status by kind. */
export async function applyKinds(admin: ApiUser): Promise<Readonly<Record<KindName, KindStatus>>> {
  const entries = await Promise.all(
    (Object.keys(KINDS) as KindName[]).map(async (kind) => [kind, await applyKind(admin, kind)]),
  );
  return Object.fromEntries(entries) as Record<KindName, KindStatus>;
}

async function applyKind(admin: ApiUser, kind: KindName): Promise<KindStatus> {
  const { plural } = KINDS[kind];
  const text = await readFile(new URL(`../../crds/${plural}.yaml`, import.meta.url), "utf8");
  const path = `${DEFINITIONS_PATH}/${plural}.archivestream.io`;
  const applied = await admin.ask({
    method: "PATCH",
    path: `${path}?fieldManager=test&fieldValidation=Strict`,
    contentType: "application/apply-patch+yaml",
    body: text,
  });
  if (applied.status >= 300) throw new Error(`${plural}.yaml was refused: ${applied.body.message ?? ""}`);
  return waitUntil(
    `${kind} to be served`,
    async () => {
      const { body } = await admin.ask({ method: "GET", path });
      const status = body["status"] as KindStatus | undefined;
      const established = status?.conditions?.some((one) => one.type === "Established" && one.status === "True");
      const served = await admin.ask({ method: "GET", path: pathOf(kind, "default") });
      // Another controller of the API server's lists the kind, in its own time.
      const { body: discovery } = await admin.ask({ method: "GET", path: GROUP_PATH });
      const listed = (discovery["resources"] as { name: string }[] | undefined)?.some(({ name }) => name === plural);
      return established === true && served.status === 200 && listed === true ? status : undefined;
    },
    { deadlineMs: ESTABLISHED_DEADLINE_MS },
  );
}

/** Makes a namespace, where nothing is in the way. */
export async function makeNamespace(admin: ApiUser, name: string): Promise<void> {
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name } };
  const { status, body: answer } = await admin.ask({ method: "POST", path: "/api/v1/namespaces", body });
  if (status !== 201) throw new Error(`namespace ${name}: ${answer.message ?? status}`);
}
