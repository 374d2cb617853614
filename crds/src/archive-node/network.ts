/** Spec of an ArchiveNode, part 5: who reaches the pods, and who scrapes them. */
import { duration, labelSelector } from "../schema/formats.ts";
import { atomicList, enumOf, integer, object, set, string } from "../schema/structure.ts";

const policyPeer = object(
  { description: "As in a NetworkPolicy." },
  {
    optional: {
      podSelector: labelSelector({ description: "Pods." }),
      namespaceSelector: labelSelector({ description: "Namespaces." }),
      ipBlock: object(
        { description: "Addresses." },
        {
          required: { cidr: string({ description: "Range." }, { minLength: 1, maxLength: 64 }) },
          optional: {
            except: set({ description: "Ranges left out." }, string({ description: "Range." }, { maxLength: 64 }), {
              maxItems: 16,
            }),
          },
        },
      ),
    },
  },
);

const policyPort = object(
  { description: "As in a NetworkPolicy." },
  {
    optional: {
      protocol: enumOf({ description: "Protocol.", absent: "`TCP`." }, ["TCP", "UDP", "SCTP"]),
      port: integer({ description: "Port.", absent: "All ports." }, { minimum: 1, maximum: 65_535 }),
      endPort: integer({ description: "Last port of a range." }, { minimum: 1, maximum: 65_535 }),
    },
  },
);

const peersOf = (description: string) => atomicList({ description }, policyPeer, { maxItems: 16 });
const portsOf = (description: string) => atomicList({ description }, policyPort, { maxItems: 16 });

export const networkPolicy = object(
  {
    description:
      "The pods' NetworkPolicy. Managed lets in ports 8443, 8080, 8081 and 9090 from anywhere and 8444 from the operator; lets out DNS, the declared engines, 443 and 8443, and 80 when there is a crawl.",
  },
  {
    optional: {
      mode: enumOf({ description: "Whether the operator makes one.", absent: "`Managed`." }, ["Managed", "Disabled"]),
      extraIngress: atomicList(
        { description: "Further rules." },
        object(
          { description: "One rule." },
          { optional: { from: peersOf("Sources; none means all."), ports: portsOf("Ports; none means all.") } },
        ),
        { maxItems: 8 },
      ),
      extraEgress: atomicList(
        { description: "Further rules." },
        object(
          { description: "One rule." },
          { optional: { to: peersOf("Destinations; none means all."), ports: portsOf("Ports; none means all.") } },
        ),
        { maxItems: 8 },
      ),
    },
  },
);

export const monitoring = object(
  { description: "Scraping by the Prometheus operator." },
  {
    optional: {
      mode: enumOf({ description: "`Auto` makes a ServiceMonitor when that kind is installed.", absent: "`Auto`." }, [
        "Auto",
        "Disabled",
      ]),
      interval: duration({ description: "How often to scrape.", absent: "Prometheus decides." }),
    },
  },
);
