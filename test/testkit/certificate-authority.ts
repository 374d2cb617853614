/** A small certificate authority for tests of mutual TLS: makes a CA, and leaf certificates signed by it. */
import "reflect-metadata";
import { createPrivateKey, type JsonWebKey, randomBytes, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;

export interface IssuedPair {
  /** PEM, both. */
  readonly key: string;
  readonly cert: string;
}

export interface LeafRequest {
  readonly commonName: string;
  readonly usage: "clientAuth" | "serverAuth";
  readonly dnsNames?: readonly string[];
  /** Valid from yesterday; ended this many days from now (negative: expired). */
  readonly days?: number;
}

export interface TestAuthority {
  readonly ca: string;
  issue(request: LeafRequest): Promise<IssuedPair>;
}

export async function testAuthority(name = "test-ca"): Promise<TestAuthority> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const root = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ CN: [name] }],
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [new BasicConstraintsExtension(true, 0, true)],
  });
  const issue = async (request: LeafRequest): Promise<IssuedPair> => {
    const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const leaf = await X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: [{ CN: [request.commonName] }],
      issuer: root.subject,
      notBefore: new Date(Date.now() - 2 * DAY_MS),
      notAfter: new Date(Date.now() + (request.days ?? 1) * DAY_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      extensions: [
        new ExtendedKeyUsageExtension([ExtendedKeyUsage[request.usage]]),
        new SubjectAlternativeNameExtension(
          (request.dnsNames ?? [request.commonName]).map((value) => ({ type: "dns" as const, value })),
        ),
      ],
    });
    const jwk = (await webcrypto.subtle.exportKey("jwk", own.privateKey)) as JsonWebKey;
    const key = createPrivateKey({ key: jwk, format: "jwk" }).export({ type: "pkcs8", format: "pem" }).toString();
    return { key, cert: leaf.toString("pem") };
  };
  return { ca: root.toString("pem"), issue };
}

function serial(): string {
  return Buffer.concat([Buffer.of(0x40), randomBytes(15)]).toString("hex");
}
