/** Where a node finds its files. Whole folders are mounted: a `subPath` is never updated by the kubelet. */

export const MOUNTS = {
  data: "/var/lib/archive-node",
  config: "/etc/archive-node/config",
  keys: "/etc/archive-node/keys",
  access: "/etc/archive-node/access",
  trust: "/etc/archive-node/trust",
  federation: "/etc/archive-node/federation",
  adminTls: "/etc/archive-node/admin-tls",
  /** Scratch space: the root file system is read-only. */
  temporary: "/tmp",
} as const;

/** Key of ConfigMap `<n>-config`, and the file's name below `MOUNTS.config`. */
export const CONFIG_FILE = "config.json";
