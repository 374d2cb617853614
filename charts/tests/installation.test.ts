/** What an installation brings and may do: kinds, rights, what it tells the person, and which values it refuses. */
import { describe, expect, it } from "vitest";
import { firstArchive, type Manifest, render, renderNotes, renderText } from "../../test/testkit/chart.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
interface Role extends Manifest {
  readonly rules: readonly Rule[];
}

const only = (manifests: readonly Manifest[], kind: string) => manifests.filter((one) => one.kind === kind);
const places = (manifests: readonly Manifest[], kind: string) =>
  only(manifests, kind).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);

describe("the kinds", () => {
  it("come with the chart and outlive it", async () => {
    const kinds = only(await render(), "CustomResourceDefinition");
    expect(kinds.map(({ metadata }) => metadata.name).sort()).toEqual([
      "archivenodes.archivestream.io",
      "federationpeers.archivestream.io",
      "syncpolicies.archivestream.io",
    ]);
    for (const { metadata } of kinds) expect(metadata.annotations?.["helm.sh/resource-policy"]).toBe("keep");
  });

  it("go with it, or do not come at all, when asked", async () => {
    const kinds = only(await render("crds.keep=false"), "CustomResourceDefinition");
    expect(kinds).toHaveLength(3);
    for (const { metadata } of kinds) expect(metadata.annotations ?? {}).not.toHaveProperty("helm.sh/resource-policy");
    expect(only(await render("crds.enabled=false"), "CustomResourceDefinition")).toEqual([]);
  });
});

describe("the rights", () => {
  it("are one ClusterRole, without wildcards", async () => {
    const manifests = await render();
    const [role] = only(manifests, "ClusterRole") as Role[];
    expect(only(manifests, "ClusterRoleBinding")).toHaveLength(1);
    expect(places(manifests, "Role")).toEqual(["archive-system/archive-operator"]);
    const words = (role?.rules ?? [])
      .flatMap(({ apiGroups, resources, verbs }) => [apiGroups, resources, verbs])
      .flat();
    expect(words.length).toBeGreaterThan(20);
    expect(words).not.toContain("*");
    // Files such as `why` explain a rule to people; the API server knows no such field.
    for (const rule of role?.rules ?? [])
      expect(["apiGroups", "resourceNames", "resources", "verbs"]).toEqual(expect.arrayContaining(Object.keys(rule)));
  });

  it("are Roles in the watched namespaces only, with scope Namespaced", async () => {
    const manifests = await render("rbac.scope=Namespaced", "watchNamespaces={alpha,beta}");
    expect(only(manifests, "ClusterRole")).toEqual([]);
    expect(only(manifests, "ClusterRoleBinding")).toEqual([]);
    const expected = ["alpha/archive-operator-nodes", "beta/archive-operator-nodes", "archive-system/archive-operator"];
    expect(places(manifests, "Role")).toEqual(expected);
    expect(places(manifests, "RoleBinding")).toEqual(expected);
  });

  it("reach the release's own namespace when Namespaced names none", async () => {
    expect(places(await render("rbac.scope=Namespaced"), "Role")).toEqual([
      "archive-system/archive-operator-nodes",
      "archive-system/archive-operator",
    ]);
  });

  it("can be somebody else's business", async () => {
    const manifests = await render("rbac.create=false", "serviceAccount.create=false", "serviceAccount.name=mine");
    for (const kind of ["ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount"])
      expect(only(manifests, kind)).toEqual([]);
    await expect(renderText("serviceAccount.create=false")).rejects.toThrow(/serviceAccount\.name is needed/);
  });
});

describe("the notes", () => {
  const NAMES_ARCHIVES = /^ *kubectl .*(apply -f|my-archive|archivenodes)/;

  it("say where the operator acts and how to make a first archive", async () => {
    const notes = await renderNotes();
    expect(notes).toContain("rollout status deployment/archive-operator");
    expect(notes).toContain("It acts on ArchiveNodes in all namespaces.");
    expect(notes).toContain("kubectl wait --for=condition=Ready archivenode/my-archive");
    expect(notes).toContain("helm test archive-operator --namespace archive-system --logs");
    expect(notes).not.toContain("clusterrolebinding");
    expect(await renderNotes("metrics.secure.enabled=true")).toContain(
      "--clusterrole=archive-system-archive-operator-metrics-reader",
    );
  });

  it("name namespaces and class, and say that kinds are missing", async () => {
    const notes = await renderNotes("watchNamespaces={alpha}", "className=blue", "crds.enabled=false");
    expect(notes).toContain("It acts on ArchiveNodes in namespace(s) alpha with spec.className blue.");
    expect(notes).toContain("the kinds must be installed");
  });

  it.each([
    [["watchNamespaces={beta,alpha}"], "kubectl -n beta"],
    [["rbac.scope=Namespaced"], "kubectl -n archive-system"],
    [["rbac.scope=Namespaced", "watchNamespaces={alpha}"], "kubectl -n alpha"],
    [[], "kubectl"],
  ])("with %j the first archive is made where the operator acts", async (values, kubectl) => {
    const commands = (await renderNotes(...values)).split("\n").filter((line) => NAMES_ARCHIVES.test(line));
    expect(commands.length).toBeGreaterThanOrEqual(5);
    for (const command of commands) expect(command.trim()).toMatch(new RegExp(`^${kubectl} [a-z]`));
  });

  it("give the first archive the operator's class, if there is one", async () => {
    expect(firstArchive(await renderNotes("className=blue"))).toContain('\n  className: "blue"\n');
    expect(firstArchive(await renderNotes())).not.toContain("className");
  });
});

describe("values", () => {
  it.each([
    ["replica=2", "replica"],
    ["image.name=x", "name"],
    ["metrics.port=1", "port"],
    ["replicas=0", "replicas"],
    ["image.digest=sha256:abc", "digest"],
    ["rbac.scope=Everything", "scope"],
    ["logLevel=chatty", "logLevel"],
    ["watchNamespaces={Not_A_Name}", "watchNamespaces"],
  ])("%s is refused by name", async (value, named) => {
    const failure = await renderText(value).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(String(failure)).toContain("values don't meet the specifications of the schema");
    expect(String(failure)).toContain(named);
  });
});

it("renders no Secret and no key", async () => {
  const text = await renderText();
  expect(text).not.toMatch(/^kind: Secret$/m);
  expect(text).not.toMatch(/-----BEGIN|password:|token: /);
});
