/** X.509 certificates of the operator: its own CA, what that CA signs, and the nodes' self-signed ones. ECDSA P-256. */
import "reflect-metadata"; // first: the x509 package expects it at load
import { createPrivateKey, generateKeyPairSync, randomBytes, type webcrypto, X509Certificate } from "node:crypto";
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
/** Those that are the same in many certificates: building one takes the library as long as a signature. */
const EXTENSIONS = {
  authority: new BasicConstraintsExtension(true, 0, true),
  noAuthority: new BasicConstraintsExtension(false, undefined, true),
  signs: new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
  signsItself: new KeyUsagesExtension(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign, true),
  server: new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
  client: new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
  serverAndClient: new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth]),
} as const;
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
    EXTENSIONS.authority,
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
    EXTENSIONS.authority,
    EXTENSIONS.signsItself,
    EXTENSIONS.serverAndClient,
    dnsExtension(dnsNames),
  ]);
}

/** Server certificate of a node's admin port, for every pod the node can have. */
export async function issueServer(
  authority: KeyAndCertificate,
  dnsNames: readonly string[],
  period: Period,
): Promise<KeyAndCertificate> {
  return issue(authority, dnsNames[0] ?? "", period, [EXTENSIONS.server, dnsExtension(dnsNames)]);
}

export async function issueClient(
  authority: KeyAndCertificate,
  commonName: string,
  period: Period,
): Promise<KeyAndCertificate> {
  return issue(authority, commonName, period, [EXTENSIONS.client]);
}

async function selfSigned(commonName: string, period: Period, extensions: Extension[]): Promise<KeyAndCertificate> {
  const { key, ...keys } = generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ CN: [commonName] }],
    ...dates(period),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [...extensions, await SubjectKeyIdentifierExtension.create(keys.publicKey)],
  });
  return { key, certificate: `${certificate.toString("pem")}\n` };
}

async function issue(
  authority: KeyAndCertificate,
  commonName: string,
  period: Period,
  extensions: Extension[],
): Promise<KeyAndCertificate> {
  const { key, publicKey } = generateKeys();
  const { issuer, signingKey, issuerKey } = await issuerOf(authority);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [commonName.slice(0, COMMON_NAME_MAX)] }],
    issuer,
    ...dates(period),
    signingAlgorithm: ALGORITHM,
    signingKey,
    publicKey,
    extensions: [EXTENSIONS.noAuthority, EXTENSIONS.signs, issuerKey, ...extensions],
  });
  return { key, certificate: `${certificate.toString("pem")}\n` };
}

interface Issuer {
  /** Distinguished name. */
  readonly issuer: string;
  readonly signingKey: webcrypto.CryptoKey;
  readonly issuerKey: AuthorityKeyIdentifierExtension;
}

/** The same for every certificate of an authority, which signs thousands in a row. */
const issuers = new WeakMap<KeyAndCertificate, Promise<Issuer>>();

async function issuerOf(authority: KeyAndCertificate): Promise<Issuer> {
  const known = issuers.get(authority) ?? readIssuer(authority);
  issuers.set(authority, known);
  return known;
}

async function readIssuer(authority: KeyAndCertificate): Promise<Issuer> {
  const certificate = new X509Certificate(authority.certificate);
  const publicKey = certificate.publicKey.toCryptoKey(ALGORITHM, true, ["verify"]);
  return {
    issuer: certificate.subject,
    signingKey: createPrivateKey(authority.key).toCryptoKey(ALGORITHM, false, ["sign"]),
    issuerKey: await AuthorityKeyIdentifierExtension.create(publicKey),
  };
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

function generateKeys() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    privateKey: privateKey.toCryptoKey(ALGORITHM, false, ["sign"]),
    publicKey: publicKey.toCryptoKey(ALGORITHM, true, ["verify"]),
  };
}
