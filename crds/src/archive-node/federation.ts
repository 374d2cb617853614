/** Spec of an ArchiveNode, part 3: who the node is, whom it trusts, how it is reached. */
import {
  address,
  annotationMap,
  dataKey,
  duration,
  labelName,
  labelSelector,
  nodeID,
  objectName,
  reference,
} from "../schema/formats.ts";
import { durationRangeRule, peerAddressRules, selectorRule } from "../schema/meaning.ts";
import { cel, enumOf, integer, mapList, object, set, string } from "../schema/structure.ts";

export const identity = object(
  { description: "The key that the node is known by.", absent: "The operator makes one and keeps it." },
  {
    optional: {
      secretRef: reference({
        description: "Secret with `identity.key` (Ed25519, PKCS#8 PEM). Whether it is set is fixed at creation.",
        absent: "The operator makes the key in Secret `<name>-identity`.",
      }),
      rotation: string(
        {
          description: "Any token; changing it asks for a succession to a new identity key.",
          absent: "No succession.",
        },
        { maxLength: 64 },
      ),
    },
  },
);

export const tls = object(
  {
    description: "Certificate of the federation port. May change at any time: the identity does not hang on it.",
    absent: "Self-signed, ECDSA P-256, renewed by the operator.",
    cel: [
      cel({
        id: "tls-one-source",
        rule: "!(has(self.secretRef) && has(self.certManager))",
        message: "tls takes one source: remove tls.secretRef or tls.certManager",
        reason: "FieldValueInvalid",
      }),
    ],
  },
  {
    optional: {
      secretRef: reference({ description: "Secret of type kubernetes.io/tls." }),
      certManager: object(
        { description: "A certificate from cert-manager." },
        {
          required: {
            issuerRef: object(
              { description: "The issuer.", atomic: true },
              {
                required: { name: objectName({ description: "Name of the issuer." }) },
                optional: {
                  kind: enumOf({ description: "Its kind.", absent: "`Issuer`." }, ["Issuer", "ClusterIssuer"]),
                  group: string({ description: "Its API group.", absent: "`cert-manager.io`." }, { maxLength: 253 }),
                },
              },
            ),
          },
        },
      ),
    },
  },
);

const caBundle = object(
  { description: "One CA bundle." },
  {
    required: { name: objectName({ description: "Secret or ConfigMap, in this namespace." }) },
    optional: {
      kind: enumOf({ description: "What it is.", absent: "`Secret`." }, ["Secret", "ConfigMap"]),
      key: dataKey({ description: "Key inside it, with PEM certificates.", absent: "`ca.crt`." }),
    },
  },
);

export const trust = object(
  { description: "Who may peer.", absent: "`Private` with `KeyOrCA`: nobody, until a FederationPeer is approved." },
  {
    optional: {
      mode: enumOf(
        {
          description: "`Public`: anyone who proves a key, under the lowest quotas. `Private`: only those named.",
          absent: "`Private`.",
        },
        ["Public", "Private"],
      ),
      require: enumOf({ description: "What a peer must show in Private mode.", absent: "`KeyOrCA`." }, [
        "Key",
        "CA",
        "KeyOrCA",
        "KeyAndCA",
      ]),
      allowListRefs: mapList(
        {
          description:
            "Secrets of type `archivestream.io/allow-list`, key `node-ids`: one node id per line, `#` starts a comment.",
        },
        "name",
        object(
          { description: "One Secret." },
          { required: { name: objectName({ description: "Secret, in this namespace." }) } },
        ),
        { maxItems: 8 },
      ),
      caBundleRefs: mapList({ description: "CAs whose certificates are accepted." }, "name", caBundle, { maxItems: 8 }),
      revocation: object(
        { description: "How fast a removed peer is shut out." },
        {
          optional: {
            push: enumOf(
              {
                description: "`Auto` also sends the document to each pod; `Disabled` waits for the volume.",
                absent: "`Auto`.",
              },
              ["Auto", "Disabled"],
            ),
          },
        },
      ),
      grace: duration({ description: "How long an old pin stays valid after a peer's key changed.", absent: "`24h`." }),
    },
  },
);

export const discovery = object(
  {
    description: "What happens with peers learnt by gossip.",
    absent: "`Disabled`.",
    cel: [
      cel({
        id: "discovery-auto-admit-needs-selector",
        rule: "!has(self.mode) || self.mode != 'AutoAdmit' || has(self.admitSelector)",
        message: "discovery.mode AutoAdmit needs a limit: set discovery.admitSelector, or use mode Propose",
        fieldPath: ".admitSelector",
        reason: "FieldValueRequired",
      }),
    ],
  },
  {
    optional: {
      mode: enumOf(
        {
          description:
            "`Observe` counts them in metrics, `Propose` makes Pending FederationPeers, `AutoAdmit` also approves those that match.",
          absent: "`Disabled`.",
        },
        ["Disabled", "Observe", "Propose", "AutoAdmit"],
      ),
      seeds: set(
        { description: "Addresses to ask first.", absent: "The approved peers." },
        address({ description: "https URL.", cel: peerAddressRules("discovery-seed", "discovery.seeds[]") }),
        { maxItems: 16 },
      ),
      maxPeers: integer({ description: "Discovered peers kept.", absent: "200." }, { minimum: 1, maximum: 2000 }),
      ttl: duration({
        description: "A discovered peer that nobody vouches for is forgotten after this; at least `1h`.",
        absent: "`72h`.",
        cel: [durationRangeRule("discovery-ttl-minimum", "discovery.ttl", { min: "1h" })],
      }),
      admitSelector: labelSelector({
        description: "Peers that AutoAdmit approves, if a CA of `trust` vouches for them too.",
        absent: "None.",
        cel: [selectorRule("admit-selector-expressions", "discovery.admitSelector")],
      }),
      deny: set({ description: "Node ids never admitted." }, nodeID({ description: "Node id." }), { maxItems: 256 }),
    },
  },
);

export const endpoint = object(
  { description: "How the node is reached.", absent: "Inside the cluster, by a ClusterIP Service." },
  {
    optional: {
      advertised: address({
        description: "URL that peers are told; https.",
        absent: "The Service's name in the cluster.",
        cel: peerAddressRules("endpoint-advertised", "endpoint.advertised"),
      }),
      service: object(
        { description: "The client Service." },
        {
          optional: {
            type: enumOf({ description: "Its type.", absent: "`ClusterIP`." }, [
              "ClusterIP",
              "NodePort",
              "LoadBalancer",
            ]),
            annotations: annotationMap({ description: "Its annotations, as load balancers want them." }),
          },
        },
      ),
      gateway: object(
        { description: "A Gateway API route to the `web` port, where those CRDs are installed." },
        {
          required: {
            parentRefs: mapList(
              { description: "Gateways to attach to." },
              "name",
              object(
                { description: "One Gateway." },
                {
                  required: { name: objectName({ description: "Gateway, in this namespace." }) },
                  optional: {
                    sectionName: labelName({ description: "Listener of it.", absent: "All listeners." }),
                    port: integer(
                      { description: "Port of it.", absent: "All ports." },
                      { minimum: 1, maximum: 65_535 },
                    ),
                  },
                },
              ),
              { minItems: 1, maxItems: 4 },
            ),
          },
        },
      ),
    },
  },
);

export const search = object(
  { description: "Limits and defaults of federated search." },
  {
    optional: {
      maxPeers: integer({ description: "Peers asked per query.", absent: "16." }, { minimum: 1, maximum: 64 }),
      maxConcurrent: integer({ description: "Queries at once per pod.", absent: "64." }, { minimum: 1, maximum: 4096 }),
      timeout: duration({
        description: "Time after which an answer is given with what is there, `50ms` to `10s`.",
        absent: "`2s`.",
        cel: [durationRangeRule("search-timeout-range", "search.timeout", { min: "50ms", max: "10s" })],
      }),
      cacheTtl: duration({ description: "How long a complete answer is reused.", absent: "`60s`." }),
    },
  },
);
