/** Layer rules of ARCHITECTURE.md. `test/run/check.mjs` also proves that these rules fire. */
const node = (folders) => `^node/src/(${folders})/`;
const operator = (folders) => `^operator/src/(${folders})/`;
const SERVICES = "ingest|search|gossip|sync|replay|crawl";
const forbid = (name, comment, from, to) => ({ name, severity: "error", comment, from, to });
const TESTS = "\\.(test|bench)\\.ts$";

export default {
  forbidden: [
    forbid("no-cycles", "files never import each other in a circle", {}, { circular: true }),
    forbid(
      "crds-alone",
      "the API contract imports nothing of ours",
      { path: "^crds/src" },
      { path: "^(node|operator|charts|test)/" },
    ),
    forbid(
      "contract-alone",
      "the node contract imports nothing of ours",
      { path: "^node/src/contract", pathNot: TESTS },
      { path: "^(crds|operator|test|node/src/(?!contract))" },
    ),
    forbid(
      "operator-sees-contract-only",
      "the operator knows the node by its contract",
      { path: "^operator/" },
      { path: "^node/src/(?!contract)" },
    ),
    forbid("node-never-operator", "the node runs without the operator", { path: "^node/" }, { path: "^operator/" }),
    forbid(
      "node-base",
      "base imports contracts only",
      { path: node("config|lifecycle|observability"), pathNot: TESTS },
      { path: "^node/src/(?!contract|config|lifecycle|observability)" },
    ),
    forbid(
      "node-adapters",
      "adapters import base and contracts",
      { path: node("identity|storage|warc|cache|asfp"), pathNot: TESTS },
      { path: "^node/src/(?!contract|config|lifecycle|observability|identity|storage|warc|cache|asfp)" },
    ),
    forbid(
      "node-indexes",
      "indexes never import services or the edge",
      { path: node("cdx|fulltext|peers"), pathNot: TESTS },
      { path: node(`${SERVICES}|http|cli`) },
    ),
    forbid(
      "node-services",
      "domain services meet only in compose.ts",
      { path: `^node/src/(${SERVICES})/`, pathNot: TESTS },
      { path: `^node/src/(${SERVICES}|http|cli)/`, pathNot: "^node/src/$1/" },
    ),
    forbid(
      "archive-by-its-interface",
      "services ask the archive by its types; the folder that opens it is above them",
      { path: `^node/src/(${SERVICES}|peers|cdx|fulltext)/`, pathNot: TESTS },
      { path: "^node/src/archive/(?!(archive|caller)\\.ts)" },
    ),
    forbid(
      "archive-below-the-edge",
      "the archive knows neither the edge nor peers",
      { path: node("archive"), pathNot: TESTS },
      { path: node("http|cli|peers|gossip|sync") },
    ),
    forbid(
      "peers-answer-locally",
      "a peer's question is answered from the local index and never asked on",
      { path: "^node/src/http/routes/federation/search\\.ts$" },
      { path: "^node/src/search/federated", reachable: true },
    ),
    forbid(
      "one-way-out",
      "every outgoing connection goes through the one file that filters addresses",
      { path: "^node/src/(?!peers/outgoing/)", pathNot: TESTS },
      { path: "^(node:|node_modules/)?undici" },
    ),
    forbid(
      "node-edge",
      "http calls services by the interfaces it declares",
      { path: node("http"), pathNot: TESTS },
      {
        path: "^node/src/(?!contract|config|lifecycle|observability|identity|asfp|archive/(access|caller)\\.ts|http|.*/errors\\.ts)",
        dependencyTypesNot: ["type-only"],
      },
    ),
    forbid(
      "operator-base",
      "base imports contracts only",
      { path: operator("config|observability"), pathNot: TESTS },
      { path: "^operator/src/(?!config|observability)" },
    ),
    forbid(
      "operator-kube",
      "kube knows no kind of ours",
      { path: operator("kube"), pathNot: TESTS },
      { path: "^(crds/|node/|operator/src/(?!kube|config|observability))" },
    ),
    forbid(
      "operator-runtime",
      "runtime knows no kind of ours",
      { path: operator("runtime"), pathNot: TESTS },
      { path: "^(crds/|node/|operator/src/(?!runtime|kube|config|observability))" },
    ),
    forbid(
      "operator-controllers",
      "one controller never imports another",
      { path: "^operator/src/controllers/([^/]+)/", pathNot: TESTS },
      { path: "^operator/src/controllers/([^/]+)/", pathNot: "^operator/src/controllers/$1/" },
    ),
    forbid(
      "sqlite-in-storage",
      "SQLite is known to storage, the index workers and the list of wanted files only",
      { path: "^node/src/(?!storage|cdx|fulltext|sync/wanted)", pathNot: TESTS },
      { path: "^node:sqlite$" },
    ),
    forbid(
      "fastify-in-http",
      "fastify is known to http only",
      { path: "^node/src/(?!http)", pathNot: TESTS },
      { path: "node_modules/(@?fastify)" },
    ),
    forbid(
      "undici-at-the-edge",
      "undici is known to kube only",
      { path: "^operator/src/(?!kube)", pathNot: TESTS },
      { path: "node_modules/undici" },
    ),
    forbid(
      "kube-client",
      "the Kubernetes client is known to kube only",
      { path: "^operator/src/(?!kube)", pathNot: TESTS },
      { path: "node_modules/@kubernetes", dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "metrics",
      "prom-client is known to metrics files and observability only",
      { path: "^(node|operator)/src/", pathNot: `(metrics\\.ts$|/observability/|${TESTS})` },
      { path: "node_modules/prom-client", dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "pure-files",
      "pure decisions touch no built-in and no library",
      { path: "(^operator/src/.*/(plan|conditions)\\.ts$|/resources/|search/merge\\.ts$)", pathNot: TESTS },
      { dependencyTypes: ["core", "npm"], dependencyTypesNot: ["type-only"] },
    ),
    forbid(
      "no-vague-names",
      "name a file for its job",
      {},
      { path: "^(crds|node|operator|charts|test)/.*(util|helper|common|misc)", pathNot: "node_modules" },
    ),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)(dist|coverage)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".js", ".mjs"],
    },
    moduleSystems: ["es6"],
  },
};
