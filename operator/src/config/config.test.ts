/** Every wrong setting is named at once, empty counts as unset, and each variable arrives where it belongs. */
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { ConfigError, checkConfig } from "./config.ts";
import { type RawEnvironment, readEnvironment } from "./env.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** What the process would read with these variables and no others. */
function read(variables: Readonly<Record<string, string>>): RawEnvironment {
  for (const name of Object.keys(process.env)) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  return readEnvironment();
}

const configOf = (variables: Readonly<Record<string, string>> = {}) => checkConfig(read(variables));

function problemsOf(variables: Readonly<Record<string, string>>): readonly string[] {
  try {
    configOf(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

test("without any variable the operator runs with the documented defaults", () => {
  expect(configOf()).toEqual({
    podName: "archive-operator",
    namespace: "default",
    watchNamespaces: [],
    inClusterServer: undefined,
    kubeconfigPath: undefined,
    logLevel: "info",
    metricsHost: "0.0.0.0",
    metricsPort: 8080,
    leaderElection: true,
    workers: 8,
    resyncMs: 1_800_000,
    nodeImage: "ghcr.io/archivestream/archive-node",
    nodeVersion: "0.1.0",
    nodePullPolicy: "IfNotPresent",
    className: "",
  });
});

test.each([
  ["POD_NAME", "operator-7", "podName", "operator-7"],
  ["POD_NAMESPACE", "archive-system", "namespace", "archive-system"],
  ["WATCH_NAMESPACES", "a,b,,c,", "watchNamespaces", ["a", "b", "c"]],
  ["KUBECONFIG", "/some/file", "kubeconfigPath", "/some/file"],
  ["LOG_LEVEL", "debug", "logLevel", "debug"],
  ["METRICS_HOST", "127.0.0.1", "metricsHost", "127.0.0.1"],
  ["METRICS_PORT", "0", "metricsPort", 0],
  ["LEADER_ELECTION", "false", "leaderElection", false],
  ["WORKERS", "64", "workers", 64],
  ["RESYNC_SECONDS", "1", "resyncMs", 1_000],
  ["NODE_IMAGE", "example.test/node", "nodeImage", "example.test/node"],
  ["NODE_VERSION", "1.2.3", "nodeVersion", "1.2.3"],
  ["NODE_PULL_POLICY", "Always", "nodePullPolicy", "Always"],
  ["CLASS_NAME", "blue", "className", "blue"],
] as const)("%s=%s is %s", (variable, text, setting, value) => {
  expect(configOf({ [variable]: text })[setting]).toEqual(value);
});

test("a variable that is set to nothing counts as unset, as charts render it", () => {
  const names = [
    ...["POD_NAME", "POD_NAMESPACE", "WATCH_NAMESPACES", "KUBECONFIG", "LOG_LEVEL", "METRICS_HOST", "METRICS_PORT"],
    ...["LEADER_ELECTION", "WORKERS", "RESYNC_SECONDS", "NODE_IMAGE", "NODE_VERSION", "NODE_PULL_POLICY", "CLASS_NAME"],
    ...["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"],
  ];
  expect(configOf(Object.fromEntries(names.map((name) => [name, ""])))).toEqual(configOf());
});

test.each([
  [{ KUBERNETES_SERVICE_HOST: "198.19.0.1", KUBERNETES_SERVICE_PORT: "443" }, "https://198.19.0.1:443"],
  [{ KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_SERVICE_PORT: "6443" }, "https://[fd00::1]:6443"],
  [{ KUBERNETES_SERVICE_HOST: "198.19.0.1" }, undefined],
  [{ KUBERNETES_SERVICE_HOST: "198.19.0.1", KUBERNETES_SERVICE_PORT: "443", KUBECONFIG: "/some/file" }, undefined],
])("with %j the cluster's own address is %s", (variables, server) => {
  expect(configOf(variables as Record<string, string>).inClusterServer).toBe(server);
});

test("all problems are named together, with what was given", () => {
  const problems = problemsOf({
    LOG_LEVEL: "loud",
    LEADER_ELECTION: "yes",
    METRICS_PORT: "65536",
    WORKERS: "0",
    RESYNC_SECONDS: "soon",
  });
  expect(problems).toHaveLength(5);
  const text = problems.join("\n");
  for (const part of [
    "LOG_LEVEL",
    "LEADER_ELECTION",
    'METRICS_PORT must be a whole number from 0 to 65535, not "65536"',
  ])
    expect(text).toContain(part);
  expect(text).toContain('not "soon"');
});

const RANGES = [
  ["METRICS_PORT", 0, 65_535],
  ["WORKERS", 1, 64],
  ["RESYNC_SECONDS", 1, 86_400],
] as const;

test.each(RANGES)("%s takes whole numbers from %d to %d, and nothing else", (name, min, max) => {
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.double(), fc.integer({ min: min - 2, max: max + 2 })), (number) => {
      const isGood = Number.isInteger(number) && number >= min && number <= max;
      expect(problemsOf({ [name]: String(number) })).toHaveLength(isGood ? 0 : 1);
    }),
  );
});

test.each(["1e999", "0x1F5G", "12 34", "--1", "NaN", "Infinity", "1.5", "٣"])("%s is no number of workers", (text) => {
  expect(problemsOf({ WORKERS: text })).toHaveLength(1);
});

test("whatever the environment holds, it is a configuration or a list of problems", () => {
  fc.assert(
    fc.property(
      fc.record({
        LOG_LEVEL: fc.string(),
        LEADER_ELECTION: fc.string(),
        METRICS_PORT: fc.string(),
        WATCH_NAMESPACES: fc.string(),
      }),
      (variables) => {
        const clean = Object.fromEntries(
          Object.entries(variables).map(([name, value]) => [name, value.replaceAll("\0", "")]),
        );
        for (const problem of problemsOf(clean)) expect(problem).toMatch(/^(LOG_LEVEL|LEADER_ELECTION|METRICS_PORT) /);
      },
    ),
  );
});
