/**
 * What a node's pods get to speak and serve with: a service key, the identity key's word for it, a TLS certificate.
 * Made together, renewed together at two thirds of their life; the pods take the new ones without a restart.
 */
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { DELEGATION_DOMAIN, type Delegation, DelegationSchema, KEY_FILES } from "@archivestream/node/contract";
import canonicalize from "canonicalize";
import { Value } from "typebox/value";
import { certificatePeriod, makeNodeCertificate, type Period, periodFrom, renewAt } from "./certificates.ts";
import { decode, encode, type Identity, privatePem, readPrivateKey, type SecretData, spki } from "./identity-key.ts";

/** Longest life of a delegation by the protocol; the certificate has the same. */
const LIFETIME_MS = 90 * 24 * 3_600_000;

export interface ServiceKeysState {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly renewAfter: Date;
  /** Of the TLS certificate, hexadecimal. */
  readonly serial: string;
}

export async function makeServiceKeys(identity: Identity, dnsNames: readonly string[], now: Date): Promise<SecretData> {
  const service = generateKeyPairSync("ed25519");
  const period = periodFrom(now, LIFETIME_MS);
  const tls = await makeNodeCertificate(identity.nodeID, dnsNames, period);
  const delegation = signDelegation(identity, spki(service.publicKey), period);
  return {
    [KEY_FILES.serviceKey]: encode(privatePem(service.privateKey)),
    [KEY_FILES.delegation]: encode(`${JSON.stringify(delegation)}\n`),
    [KEY_FILES.tlsKey]: encode(tls.key),
    [KEY_FILES.tlsCert]: encode(tls.certificate),
  };
}

function signDelegation(identity: Identity, serviceKey: Buffer, period: Period): Delegation {
  const delegation = {
    node_id: identity.nodeID,
    spki: serviceKey.toString("base64url"),
    not_before: period.notBefore.getTime(),
    not_after: period.notAfter.getTime(),
    identity_key: spki(createPublicKey(identity.key)).toString("base64url"),
  };
  const bytes = Buffer.from(DELEGATION_DOMAIN + canonicalize(delegation), "utf8");
  return { delegation, sig: sign(null, bytes, identity.key).toString("base64url") };
}

/** State of a keys Secret, or why it must be made anew. */
export function inspectServiceKeys(
  secret: string,
  data: SecretData,
  identity: Identity,
): ServiceKeysState | "unusable" {
  try {
    const serviceKey = spki(createPublicKey(readPrivateKey(secret, data, KEY_FILES.serviceKey))).toString("base64url");
    const { delegation } = Value.Parse(DelegationSchema, JSON.parse(decode(data, KEY_FILES.delegation)));
    if (delegation.node_id !== identity.nodeID || delegation.spki !== serviceKey) return "unusable";
    readPrivateKey(secret, data, KEY_FILES.tlsKey);
    const certificate = certificatePeriod(decode(data, KEY_FILES.tlsCert));
    const delegated = { notBefore: new Date(delegation.not_before), notAfter: new Date(delegation.not_after) };
    return {
      notBefore: later(certificate.notBefore, delegated.notBefore),
      notAfter: certificate.notAfter,
      renewAfter: earlier(renewAt(certificate), renewAt(delegated)),
      serial: certificate.serial,
    };
  } catch {
    // Whatever is wrong with keys that the operator itself made: they are made again.
    return "unusable";
  }
}

function earlier(a: Date, b: Date): Date {
  return a < b ? a : b;
}

function later(a: Date, b: Date): Date {
  return a < b ? b : a;
}
