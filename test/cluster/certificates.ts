/** The public key infrastructure of one test API server: an authority, server and client certificates (RFC 5280). */
import "reflect-metadata"; // @peculiar/x509 resolves its parts by it
import { generateKeyPairSync, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const KEY = { name: "ECDSA", namedCurve: "P-256" } as const;
const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;
const DAY_MS = 86_400_000;

/** A certificate and its private key, both PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

export interface Authority {
  readonly caPem: string;
  /** A certificate for a server on loopback. */
  issueServer(commonName: string): Promise<Credentials>;
  /** A certificate for a user of the API server, which reads `CN` as the user's name and each `O` as a group. */
  issueClient(name: string, groups: readonly string[]): Promise<Credentials>;
}

/** Makes a self-signed authority that lives for a day. */
export async function createAuthority(): Promise<Authority> {
  const caKeys = await newKeys();
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=test authority",
    keys: caKeys,
    signingAlgorithm: SIGNING,
    serialNumber: serialNumber(),
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.digitalSignature, true),
    ],
  });
  const issue = async (subject: x509.JsonName, usage: string, names: x509.JsonGeneralName[]): Promise<Credentials> => {
    const keys = await newKeys();
    const cert = await x509.X509CertificateGenerator.create({
      subject,
      issuer: ca.subject,
      publicKey: keys.publicKey,
      signingKey: caKeys.privateKey,
      signingAlgorithm: SIGNING,
      serialNumber: serialNumber(),
      ...validity(),
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([usage]),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    });
    return { cert: cert.toString("pem"), key: await privateKeyPem(keys.privateKey) };
  };
  return {
    caPem: ca.toString("pem"),
    issueServer: (commonName) =>
      issue([{ CN: [commonName] }], x509.ExtendedKeyUsage.serverAuth, [
        { type: "ip", value: "127.0.0.1" },
        { type: "dns", value: "localhost" },
      ]),
    issueClient: (name, groups) =>
      issue([{ CN: [name] }, ...groups.map((group) => ({ O: [group] }))], x509.ExtendedKeyUsage.clientAuth, []),
  };
}

/** A key pair to sign and check service account tokens with; PEM. */
export function createTokenKeys(): { readonly privateKey: string; readonly publicKey: string } {
  return generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
}

/**
 * A signing request for the cluster's own signer, for clusters whose authority we do not hold.
 *
 * @returns the request and the key it belongs to, both PEM
 */
export async function createSigningRequest(
  name: string,
  groups: readonly string[],
): Promise<{ readonly request: string; readonly key: string }> {
  const keys = await newKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [name] }, ...groups.map((group) => ({ O: [group] }))],
    keys,
    signingAlgorithm: SIGNING,
  });
  return { request: request.toString("pem"), key: await privateKeyPem(keys.privateKey) };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(KEY, true, ["sign", "verify"]);
}

/** Positive, as RFC 5280 4.1.2.2 wants: the first bit is zero. */
function serialNumber(): string {
  return `01${randomBytes(15).toString("hex")}`;
}

/** From a minute ago, for clocks that differ a little. */
function validity(): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + DAY_MS) };
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY");
}
