/** X.509 certificates of the operator: its own CA, what that CA signs, and the nodes' self-signed ones. ECDSA P-256. */
import "reflect-metadata"; // first: the x509 package expects it at load
import { createPrivateKey, type JsonWebKey, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";

export interface KeyAndCertificate {
  /** PKCS#8 PEM. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
}

export interface Period {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** `ub-common-name` of RFC 5280. Whoever checks a longer host looks at the DNS names. */
const COMMON_NAME_MAX = 64;
/** Clocks of those who check may be behind ours by this much. */
const CLOCK_SLACK_MS = 5 * 60_000;

/** From a little before `now`, for `lifetimeMs`. */
export function periodFrom(now: Date, lifetimeMs: number): Period {
  return { notBefore: new Date(now.getTime() - CLOCK_SLACK_MS), notAfter: new Date(now.getTime() + lifetimeMs) };
}

/** When it is to be replaced: before the one, and after the other. */
export interface Dated {
  readonly notBefore: Date;
  readonly renewAfter: Date;
}

/** True when it is old, or was made by a clock that ran ahead. */
export function isDue(dated: Dated, now: Date): boolean {
  return dated.renewAfter <= now || isFromTheFuture(dated, now);
}

/** What was made by a clock that ran ahead: nobody with a right clock takes it before its time comes. */
export function isFromTheFuture({ notBefore }: Pick<Period, "notBefore">, now: Date): boolean {
  return notBefore > now;
}

/** When a certificate or delegation is made anew: at two thirds of its life. */
export function renewAt({ notBefore, notAfter }: Period): Date {
  return new Date(notBefore.getTime() + ((notAfter.getTime() - notBefore.getTime()) * 2) / 3);
}

/** @throws {Error} `pem` is not a certificate */
export function certificatePeriod(pem: string): Period & { readonly serial: string } {
  const certificate = new X509Certificate(pem);
  return {
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    serial: certificate.serialNumber.toLowerCase(),
  };
}

/** The operator's CA: may sign, and only end certificates. */
export async function makeAuthority(commonName: string, period: Period): Promise<KeyAndCertificate> {
  return selfSigned(commonName, period, [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
  ]);
}

/**
 * The `federation` port's certificate. A CA in form, so that clients given this file as their root accept it; path
 * length 0, and the key signs nothing else.
 */
export async function makeNodeCertificate(
  nodeID: string,
  dnsNames: readonly string[],
  period: Period,
): Promise<KeyAndCertificate> {
  return selfSigned(nodeID, period, [
    new BasicConstraintsExtension(true, 0, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
    dnsExtension(dnsNames),
  ]);
}

/** Server certificate of a node's admin port, for every pod the node can have. */
export async function issueServer(
  authority: KeyAndCertificate,
  dnsNames: readonly string[],
  period: Period,
): Promise<KeyAndCertificate> {
  return issue(authority, dnsNames[0] ?? "", period, [
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    dnsExtension(dnsNames),
  ]);
}

export async function issueClient(
  authority: KeyAndCertificate,
  commonName: string,
  period: Period,
): Promise<KeyAndCertificate> {
  return issue(authority, commonName, period, [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])]);
}

async function selfSigned(commonName: string, period: Period, extensions: Extension[]): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...dates(period),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [...extensions, await SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  return { key: await exportKey(keys.privateKey), certificate: `${certificate.toString("pem")}\n` };
}

async function issue(
  authority: KeyAndCertificate,
  commonName: string,
  period: Period,
  extensions: Extension[],
): Promise<KeyAndCertificate> {
  const keys = await generateKeys();
  const issuer = new X509Certificate(authority.certificate);
  const issuerKey = await webcrypto.subtle.importKey(
    "spki",
    issuer.publicKey.export({ type: "spki", format: "der" }),
    ALGORITHM,
    true,
    ["verify"],
  );
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [commonName.slice(0, COMMON_NAME_MAX)] }],
    issuer: issuer.subject,
    ...dates(period),
    signingAlgorithm: ALGORITHM,
    signingKey: await importSigningKey(authority.key),
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      await AuthorityKeyIdentifierExtension.create(issuerKey),
      ...extensions,
    ],
  });
  return { key: await exportKey(keys.privateKey), certificate: `${certificate.toString("pem")}\n` };
}

function dates({ notBefore, notAfter }: Period) {
  return { notBefore, notAfter };
}

function dnsExtension(names: readonly string[]): Extension {
  return new SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns" as const, value })));
}

/** 16 random bytes, first bit clear: positive, and far over the 64 bits that RFC 5280 users ask for. */
function serialNumber(): string {
  return Buffer.concat([Buffer.of(0x40), randomBytes(15)]).toString("hex");
}

async function generateKeys() {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function importSigningKey(pem: string) {
  const der = createPrivateKey(pem).export({ type: "pkcs8", format: "der" });
  return webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const jwk = (await webcrypto.subtle.exportKey("jwk", key)) as JsonWebKey;
  return createPrivateKey({ key: jwk, format: "jwk" }).export({ type: "pkcs8", format: "pem" }).toString();
}
