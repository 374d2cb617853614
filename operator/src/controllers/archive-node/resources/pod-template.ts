/** The pod of a node: one container under Pod Security `restricted`, its files mounted as folders. */
import { ANNOTATIONS } from "@archivestream/crds";
import { PORTS, type PortName } from "@archivestream/node/contract";
import { childNames, DATA_VOLUME } from "../../names.ts";
import type { EffectiveNode } from "../effective.ts";
import { childLabels, podSelector } from "./metadata.ts";
import { CONFIG_FILE, MOUNTS } from "./mounts.ts";

/** User and group of the node image; the volume's files get this group. */
const NODE_USER = 65_532;
/** Read by owner and group only. */
const SECRET_MODE = 0o440;
/** A node ends its uploads and closes its databases before it exits. */
const GRACE_SECONDS = 60;
/** Start-up may rebuild an index: up to ten minutes before the kubelet gives up. */
const STARTUP_PROBE = { periodSeconds: 2, failureThreshold: 300 } as const;
const POD_PORTS: readonly PortName[] = ["federation", "web", "replay", "admin", "metrics"];

export function podTemplate(node: EffectiveNode, configDigest: string) {
  const { podTemplate: wanted } = node.spec;
  return {
    metadata: {
      labels: { ...wanted?.metadata?.labels, ...childLabels(node.name) },
      annotations: { ...wanted?.metadata?.annotations, [ANNOTATIONS.configHash]: configDigest },
    },
    spec: {
      serviceAccountName: wanted?.serviceAccountName ?? childNames(node.name).serviceAccount,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: GRACE_SECONDS,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: NODE_USER,
        runAsGroup: NODE_USER,
        fsGroup: NODE_USER,
        fsGroupChangePolicy: "OnRootMismatch",
        seccompProfile: { type: "RuntimeDefault" },
      },
      containers: [container(node)],
      volumes: volumes(node),
      ...placement(node),
      ...(node.pullSecrets.length ? { imagePullSecrets: node.pullSecrets.map((name) => ({ name })) } : {}),
    },
  };
}

function container(node: EffectiveNode) {
  const probe = (path: string) => ({ httpGet: { path, port: "metrics" } });
  return {
    name: "archive-node",
    image: node.image,
    imagePullPolicy: node.pullPolicy,
    command: ["node", "/app/node/src/main.ts", "serve", "--config", `${MOUNTS.config}/${CONFIG_FILE}`],
    ports: POD_PORTS.map((name) => ({ name, containerPort: PORTS[name], protocol: "TCP" })),
    startupProbe: { ...probe("/healthz"), ...STARTUP_PROBE },
    livenessProbe: { ...probe("/healthz"), periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 6 },
    readinessProbe: { ...probe("/readyz"), periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    },
    volumeMounts: [
      { name: DATA_VOLUME, mountPath: MOUNTS.data },
      ...FOLDERS.map((name) => ({ name: VOLUME_NAMES[name], mountPath: MOUNTS[name], readOnly: true })),
      { name: "temporary", mountPath: MOUNTS.temporary },
    ],
    resources: node.resources,
    ...(node.spec.podTemplate?.env?.length ? { env: node.spec.podTemplate.env } : {}),
  };
}

const FOLDERS = ["config", "keys", "access", "trust", "federation", "adminTls"] as const;
const VOLUME_NAMES = {
  config: "config",
  keys: "keys",
  access: "access",
  trust: "trust",
  federation: "federation",
  adminTls: "admin-tls",
} as const;

function volumes(node: EffectiveNode) {
  const names = childNames(node.name);
  const configMap = (name: string) => ({ configMap: { name, defaultMode: SECRET_MODE } });
  const secret = (secretName: string) => ({ secret: { secretName, defaultMode: SECRET_MODE } });
  return [
    { name: VOLUME_NAMES.config, ...configMap(names.config) },
    { name: VOLUME_NAMES.keys, ...secret(names.keys) },
    { name: VOLUME_NAMES.access, ...secret(names.access) },
    { name: VOLUME_NAMES.trust, ...secret(names.trust) },
    { name: VOLUME_NAMES.federation, ...configMap(names.federation) },
    { name: VOLUME_NAMES.adminTls, ...secret(names.adminTls) },
    { name: "temporary", emptyDir: {} },
  ];
}

/** Where the pods may run: the allow-listed part of spec.podTemplate, and how they spread. */
function placement(node: EffectiveNode) {
  const { podTemplate: wanted } = node.spec;
  const spread = topologySpread(node);
  return {
    ...(wanted?.priorityClassName === undefined ? {} : { priorityClassName: wanted.priorityClassName }),
    ...(wanted?.nodeSelector === undefined ? {} : { nodeSelector: wanted.nodeSelector }),
    ...(wanted?.tolerations?.length ? { tolerations: wanted.tolerations } : {}),
    ...(spread.length ? { topologySpreadConstraints: spread } : {}),
  };
}

/** `Auto` spreads over zones, then machines, and never keeps a pod from running. */
function topologySpread(node: EffectiveNode) {
  const wanted = node.spec.scheduling?.topologySpread;
  const labelSelector = { matchLabels: podSelector(node.name) };
  if (wanted?.mode === "Disabled") return [];
  if (wanted?.mode === "Custom") return (wanted.constraints ?? []).map((one) => ({ ...one, labelSelector }));
  return ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector,
  }));
}
