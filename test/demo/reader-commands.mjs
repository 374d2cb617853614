/**
 * The shell lines that the demo runs and prints: a reader who pastes them gets what the demo got.
 * Node 20, no dependencies.
 */
import { basename, join } from "node:path";
import { CACHE } from "../cluster/cache-folder.mjs";
import { output } from "../run/command.mjs";

const ADDRESS_OF_NODE = `{.items[0].status.addresses[?(@.type=="InternalIP")].address}`;

/** Where the archive outside the cluster takes uploads; on loopback, because that is plain HTTP. */
const OUTSIDE_WEB = "127.0.0.1:9080";
export const OUTSIDE_FOLDER = join(CACHE, "demo-outside");

/**
 * What a shell needs first: the cluster, where its archives answer, and the tokens that may upload.
 *
 * @param {{kubeconfig: string}} cluster
 * @param {string} namespace with the ArchiveNodes of federation.yaml
 */
export function preamble({ kubeconfig }, namespace) {
  return [
    `export KUBECONFIG=${kubeconfig} PATH=${join(CACHE, "bin")}:$PATH NAMESPACE=${namespace}`,
    `HOST=$(kubectl get node -o jsonpath='${ADDRESS_OF_NODE}')`,
    `port() { kubectl -n $NAMESPACE get service $1 -o jsonpath="{.spec.ports[?(@.name==\\"$2\\")].nodePort}"; }`,
    "token() { kubectl -n $NAMESPACE get secret $1-access -o jsonpath='{.data.token}' | base64 -d; }",
    "LIBRARY=http://$HOST:$(port library web)",
    "ANNEX=http://$HOST:$(port annex web)",
  ].join("\n");
}

/** Runs shell lines behind the preamble, as a reader would. */
export function shell(cluster, namespace, command) {
  const script = `set -euo pipefail\n${preamble(cluster, namespace)}\n${command}`;
  return output("bash", ["-c", script], { env: cluster.env });
}

/** The retries are for the second in which a Service has not seen yet that its pod is back. */
const CURL = "curl -sS --fail-with-body --retry 5 --retry-connrefused";

/** Web ports of the archives, as a shell writes them after the preamble, and how it gets their tokens. */
export const ARCHIVES = {
  library: { url: "$LIBRARY", token: "$(token library)" },
  annex: { url: "$ANNEX", token: "$(token annex)" },
  outside: { url: `http://${OUTSIDE_WEB}`, token: `$(cat ${OUTSIDE_FOLDER}/access-token)` },
};

/** @param {{url: string, token: string}} archive one of ARCHIVES */
export const uploadCommand = (archive, collection, file) =>
  `${CURL} -X POST -H "Authorization: Bearer ${archive.token}" -H 'Content-Type: application/gzip' -T ${file} "${archive.url}/api/v1/collections/${collection}/warcs?filename=${basename(file)}"`;

export const filesCommand = (archive, collection) => `${CURL} ${archive.url}/api/v1/collections/${collection}/warcs`;

/** The names of files that an archive holds, one on a line. */
export const fileNamesCommand = (archive, collection) =>
  `${filesCommand(archive, collection)} | jq -r '.blobs[] | "  \\(.filename)  \\(.size) bytes  \\(.state)"' | sort`;

/** In the format of CDX servers: which captures of an address there are. */
export const lookUpCommand = (archive, collection, url) => `${CURL} "${archive.url}/${collection}/cdx?url=${url}"`;

const COVERAGE = String.raw`"\(.total) pages in \(.tookMs | round) ms; \(.coverage.peers.answered) of \(.coverage.peers.selected) peers answered"`;
const HITS = String.raw`(.hits[] | "  \(.title)\n    \(.url)\n    held by \(.sources | map(.[:8]) | join(", "))")`;

/** A question to one archive and its peers: how many pages, which peers answered, and who holds what. */
export const searchCommand = (archive, question, limit = 3) =>
  `${CURL} -G ${archive.url}/api/v1/search --data-urlencode 'q=${question}' -d limit=${limit} | jq -r '${COVERAGE}, ${HITS}'`;

/** An archive outside the cluster that knows one address of the federation: the library's, through its NodePort. */
export const OUTSIDE_COMMANDS = [
  "HERE=$(ip route get $HOST | sed -n 's/.* src \\([^ ]*\\).*/\\1/p')",
  [
    `node/bin/archive-node serve --data ${OUTSIDE_FOLDER} --web ${OUTSIDE_WEB}`,
    "--listen $HERE:9443 --advertise https://$HERE:9443 --seed https://$HOST:$(port library federation)",
  ].join(" "),
];

export const PENDING_COMMAND =
  "kubectl -n $NAMESPACE get fpeer -l archivestream.io/origin=discovered -o custom-columns=NAME:.metadata.name,ADMISSION:.spec.admission,NODEID:.spec.nodeID";

/** @param {string} peer name of a FederationPeer that discovery made */
export const approveCommand = (peer) =>
  `kubectl -n $NAMESPACE patch fpeer ${peer} --type=merge -p '{"spec":{"admission":"Approved"}}'`;
