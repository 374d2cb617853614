/** The `federation` port's own certificate: self-signed ECDSA P-256, made where nobody else makes one. */
import "reflect-metadata"; // first: the x509 package expects it at load
import { createPrivateKey, type JsonWebKey, randomBytes, webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

export interface CertificateRequest {
  readonly commonName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface KeyAndCertificate {
  /** PKCS#8 PEM. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
}

/**
 * Makes a key and its self-signed certificate. It is a CA in form, so that `curl --cacert` and Go accept it as its own
 * root; path length 0, and the key signs nothing else.
 */
export async function selfSigned(request: CertificateRequest): Promise<KeyAndCertificate> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // 16 random bytes, first bit clear: positive and far over the 64 bits that RFC 5280 users ask for.
    serialNumber: Buffer.concat([Buffer.of(0x40), randomBytes(15)]).toString("hex"),
    name: [{ CN: [request.commonName] }],
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
      new SubjectAlternativeNameExtension([
        ...request.dnsNames.map((value) => ({ type: "dns" as const, value })),
        ...request.ipAddresses.map((value) => ({ type: "ip" as const, value })),
      ]),
    ],
  });
  const jwk = (await webcrypto.subtle.exportKey("jwk", keys.privateKey)) as JsonWebKey;
  const key = createPrivateKey({ key: jwk, format: "jwk" }).export({ type: "pkcs8", format: "pem" }).toString();
  return { key, certificate: `${certificate.toString("pem")}\n` };
}
