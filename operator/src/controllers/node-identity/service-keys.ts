/**
 * What a node's pods get to speak and serve with: a service key, the identity key's word for it, a TLS certificate.
 * Made together, renewed together at two thirds of their life; the pods take the new ones without a restart.
 */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import {
  DELEGATION_LIFETIME_MS,
  DelegationSchema,
  KEY_FILES,
  signDelegation,
  spkiOf,
} from "@archivestream/node/contract";
import { Value } from "typebox/value";
import { certificatePeriod, makeNodeCertificate, periodFrom, renewAt } from "./certificates.ts";
import { decode, encode, type Identity, privatePem, readPrivateKey, type SecretData } from "./identity-key.ts";

export interface ServiceKeysState {
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly renewAfter: Date;
  /** Of the TLS certificate, hexadecimal. */
  readonly serial: string;
}

export async function makeServiceKeys(identity: Identity, dnsNames: readonly string[], now: Date): Promise<SecretData> {
  const service = generateKeyPairSync("ed25519");
  // The certificate lives as long as the delegation may.
  const period = periodFrom(now, DELEGATION_LIFETIME_MS);
  const tls = await makeNodeCertificate(identity.nodeID, dnsNames, period);
  const delegation = signDelegation(identity.key, service.publicKey, {
    notBefore: period.notBefore.getTime(),
    notAfter: period.notAfter.getTime(),
  });
  return {
    [KEY_FILES.serviceKey]: encode(privatePem(service.privateKey)),
    [KEY_FILES.delegation]: encode(`${JSON.stringify(delegation)}\n`),
    [KEY_FILES.tlsKey]: encode(tls.key),
    [KEY_FILES.tlsCert]: encode(tls.certificate),
  };
}

/** State of a keys Secret, or why it must be made anew. */
export function inspectServiceKeys(
  secret: string,
  data: SecretData,
  identity: Identity,
): ServiceKeysState | "unusable" {
  try {
    const serviceKey = spkiOf(createPublicKey(readPrivateKey(secret, data, KEY_FILES.serviceKey))).toString(
      "base64url",
    );
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
