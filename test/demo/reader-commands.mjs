/**
 * The shell lines that the demo runs and prints: a reader who pastes them gets what the demo got.
 * Node 20, no dependencies.
 */
import { basename, join } from "node:path";
import { CACHE } from "../cluster/cache-folder.mjs";
import { output } from "../run/command.mjs";

const ADDRESS_OF_NODE = `{.items[0].status.addresses[?(@.type=="InternalIP")].address}`;
const WEB_PORT = `{.spec.ports[?(@.name=="web")].nodePort}`;

/** What a shell needs first: the cluster, where its archive answers, and the token that may upload. */
export function preamble({ kubeconfig }, { namespace, name }) {
  return [
    `export KUBECONFIG=${kubeconfig} PATH=${join(CACHE, "bin")}:$PATH`,
    `HOST=$(kubectl get node -o jsonpath='${ADDRESS_OF_NODE}')`,
    `PORT=$(kubectl -n ${namespace} get service ${name} -o jsonpath='${WEB_PORT}')`,
    "ARCHIVE=http://$HOST:$PORT",
    `TOKEN=$(kubectl -n ${namespace} get secret ${name}-access -o jsonpath='{.data.token}' | base64 -d)`,
  ].join("\n");
}

/** Runs shell lines behind the preamble, as a reader would. */
export function shell(cluster, archive, command) {
  const script = `set -euo pipefail\n${preamble(cluster, archive)}\n${command}`;
  return output("bash", ["-c", script], { env: cluster.env });
}

/** The retries are for the second in which a Service has not seen yet that its pod is back. */
const CURL = "curl -sS --fail-with-body --retry 5 --retry-connrefused";

export const uploadCommand = (collection, file) =>
  `${CURL} -X POST -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/gzip' -T ${file} "$ARCHIVE/api/v1/collections/${collection}/warcs?filename=${basename(file)}"`;

export const filesCommand = (collection) => `${CURL} $ARCHIVE/api/v1/collections/${collection}/warcs`;

/** In the format of CDX servers: which captures of an address there are. */
export const lookUpCommand = (collection, url) => `${CURL} "$ARCHIVE/${collection}/cdx?url=${url}"`;

export const searchCommand = (question) =>
  `${CURL} -G $ARCHIVE/api/v1/search --data-urlencode 'q=${question}' -d limit=3 | jq -r '"\\(.total) pages in \\(.tookMs | round) ms", (.hits[] | "  \\(.title)\\n    \\(.url)")'`;
