/** Address groups: whoever has one address of a group can easily have more of it. */
import ipaddr from "ipaddr.js";

/** /16 of IPv4 and /32 of IPv6; what is no address is a group of its own. */
export function addressGroup(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  const bytes = parsed.toByteArray();
  return `${parsed.kind()}:${bytes.slice(0, parsed.kind() === "ipv4" ? 2 : 4).join(".")}`;
}
