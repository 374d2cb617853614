/** The program of the README: the operator, a namespace, one archive. */
import { ArchiveNodeObject, Operator } from "@archivestream/pulumi";
import * as kubernetes from "@pulumi/kubernetes";

const operator = new Operator("archive-operator", { chart: "../charts/archive-operator" });
const archives = new kubernetes.core.v1.Namespace("archives", { metadata: { name: "archives" } });

export const library = new ArchiveNodeObject(
  "library",
  {
    namespace: archives.metadata.name,
    spec: { storage: { size: "10Gi" }, collections: [{ name: "manuals", access: "Public" }] },
  },
  { dependsOn: operator },
);
