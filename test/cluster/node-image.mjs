/** Makes the offline node image in three cached steps; node-image.sh does the work. Node 20, no dependencies. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { logged, succeeds } from "../run/command.mjs";
import { CACHE } from "./cache-folder.mjs";
import { keyOf, once } from "./once.mjs";
import { buildPrograms, KUBE_SOURCES, KUBERNETES_VERSION } from "./programs.mjs";

const SCRIPT = fileURLToPath(new URL("./node-image.sh", import.meta.url));
const STORAGE_CLASS = fileURLToPath(new URL("./storage-class.yaml", import.meta.url));
const KIND_IMAGE_NAME = "localhost/kind-node";

/** Of the image that `makeNodeImage` leaves in podman's store. */
export const OFFLINE_NODE_IMAGE = `${KIND_IMAGE_NAME}:${KUBERNETES_VERSION}`;

/** @param {import("./containers.mjs").Containers} containers */
export async function makeNodeImage(containers) {
  const env = { ...containers.env, CACHE, VERSION: KUBERNETES_VERSION, KIND_IMAGE: OFFLINE_NODE_IMAGE };
  const part = (name) => () => logged(name, SCRIPT, [name], { env });
  const debian = once("debian_tree", keyOf([SCRIPT]), part("debian_tree"), {
    title: "Debian tree for the cluster node",
    expectedMs: 80_000,
    present: () => existsSync(join(CACHE, "debian/usr/bin/containerd")),
  });
  // Debian waits for the network while Go uses the processors.
  await Promise.all([debian, buildPrograms()]);
  await once("node_image", keyOf([SCRIPT, STORAGE_CLASS, ...KUBE_SOURCES], KUBERNETES_VERSION), makeBoth(part), {
    title: "cluster node image",
    expectedMs: 30_000,
    present: () => succeeds("podman", ["image", "exists", OFFLINE_NODE_IMAGE], { env }),
  });
}

function makeBoth(part) {
  return async () => {
    await part("component_images")();
    await part("node_image")();
  };
}
