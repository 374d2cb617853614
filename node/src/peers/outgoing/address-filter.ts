/**
 * Which addresses may be dialled that this node only learnt from others. A person's endpoints pass unseen; everything else
 * must be a public unicast address, so that no peer can make this node knock at its own network.
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Ports of federation endpoints that may be dialled without a person's word. */
const LEARNT_PORTS: readonly number[] = [443, 8443];
/** All of IPv6 that is given out for the open internet; the library calls some other ranges unicast too. */
const GLOBAL_IPV6 = ipaddr.parseCIDR("2000::/3");
/** Azure answers every one of its machines here, from the middle of the public range. */
const METADATA: readonly string[] = ["168.63.129.16"];

export type AddressRule =
  /** A person or the operator named the endpoint. */
  | { readonly kind: "authored" }
  /** It was learnt; only `allowed` networks may be other than public. */
  | { readonly kind: "learnt"; readonly allowed: readonly string[] };

type Network = ReturnType<typeof ipaddr.parseCIDR>;
const parsedNetworks = new WeakMap<readonly string[], readonly Network[]>();

function networksOf(allowed: readonly string[]): readonly Network[] {
  const before = parsedNetworks.get(allowed);
  if (before !== undefined) return before;
  const networks = allowed.map((cidr) => ipaddr.parseCIDR(cidr));
  parsedNetworks.set(allowed, networks);
  return networks;
}

/**
 * Why an address must not be dialled; `undefined` when it may be.
 *
 * @param address - as the look-up gave it, or the literal of the URL
 */
export function forbidden(address: string, port: number, rule: AddressRule): string | undefined {
  // Whoever connects would look anything else up again, unchecked.
  if (isIP(address) === 0) return `${address} is no IP address`;
  if (rule.kind === "authored") return undefined;
  if (address.includes("%")) return `${address} names an interface of this machine`;
  // IPv4 inside IPv6 is judged as IPv4 where the system would dial it so; other embeddings are no unicast range.
  const parsed = ipaddr.process(address);
  if (networksOf(rule.allowed).some((network) => isIn(parsed, network))) return undefined;
  const range = parsed.range();
  if (range !== "unicast") return `${address} is not public (${range})`;
  if (METADATA.includes(parsed.toString())) return `${address} is not public (metadata)`;
  if (parsed.kind() === "ipv6" && !isIn(parsed, GLOBAL_IPV6)) return `${address} is not public (not assigned)`;
  if (!LEARNT_PORTS.includes(port)) return `port ${port} is none of ${LEARNT_PORTS.join(", ")}`;
  return undefined;
}

function isIn(address: ReturnType<typeof ipaddr.process>, network: Network): boolean {
  const [base] = network;
  return address.kind() === base.kind() && address.match(network);
}
