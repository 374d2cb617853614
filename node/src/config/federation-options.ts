/** What `archive-node serve` is told of the federation on its command line, checked. */
import { BlockList, isIP } from "node:net";
import { federationUrl } from "../contract/federation-url.ts";
import { StartError } from "./errors.ts";

export interface FederationOptions {
  /** Base URLs of peers to ask first. */
  readonly seeds: readonly string[];
  /** Absent: as the trust document says. */
  readonly trust: "Public" | "Private" | undefined;
  /** Base URL that peers are told; absent: of the federation document, else where the node listens. */
  readonly advertise: string | undefined;
  /** Networks in CIDR notation to which the address filter lets learnt addresses lead. */
  readonly allowNets: readonly string[];
}

export interface OfferedFederationOptions {
  readonly seed?: readonly string[] | undefined;
  readonly trust?: string | undefined;
  readonly advertise?: string | undefined;
  readonly allowNet?: readonly string[] | undefined;
}

const MAX_SEEDS = 16;

/** @throws {StartError} `BAD_USAGE`, naming the option */
export function federationOptions(offered: OfferedFederationOptions): FederationOptions {
  const seeds = (offered.seed ?? []).map((address) => baseUrl("--seed", address));
  if (seeds.length > MAX_SEEDS) throw badUsage(`--seed: at most ${MAX_SEEDS}`);
  return {
    seeds,
    trust: trustMode(offered.trust),
    advertise: offered.advertise === undefined ? undefined : baseUrl("--advertise", offered.advertise),
    allowNets: (offered.allowNet ?? []).map(network),
  };
}

function badUsage(reason: string): StartError {
  return new StartError("BAD_USAGE", { reason });
}

function baseUrl(option: string, address: string): string {
  const url = federationUrl(address);
  if (url === undefined) throw badUsage(`${option}: expected a URL such as https://archive.example.org:8443`);
  return url;
}

function trustMode(value: string | undefined): FederationOptions["trust"] {
  if (value === undefined || value === "Public" || value === "Private") return value;
  throw badUsage("--trust: expected Public or Private");
}

function network(value: string): string {
  const [address = "", bits = ""] = value.split("/");
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  try {
    if (/^\d{1,3}$/.test(bits)) new BlockList().addSubnet(address, Number(bits), family);
    else throw badUsage("no prefix length");
    return value;
  } catch (error) {
    throw new StartError(
      "BAD_USAGE",
      { reason: "--allow-net: expected a network such as 10.1.0.0/16" },
      { cause: error },
    );
  }
}
