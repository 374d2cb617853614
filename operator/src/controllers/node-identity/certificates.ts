/**
 * X.509 certificates of the operator: its own CA, what that CA signs, and the nodes' self-signed ones. ECDSA P-256.
 *
 * Written here rather than by a library, because a library's object model took two thirds of the processor time of
 * making a node; the shapes are few and fixed (RFC 5280), and keys and signatures are OpenSSL's.
 */
import { createHash, generateKeyPairSync, randomBytes, sign, X509Certificate } from "node:crypto";
import * as der from "./der.ts";

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

/** Clocks of those who check may be behind ours by this much. */
const CLOCK_SLACK_MS = 5 * 60_000;

/** From a little before `now`, for `lifetimeMs`. */
export function periodFrom(now: Date, lifetimeMs: number): Period {
  return { notBefore: new Date(now.getTime() - CLOCK_SLACK_MS), notAfter: new Date(now.getTime() + lifetimeMs) };
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
export function makeAuthority(commonName: string, period: Period): KeyAndCertificate {
  return selfSigned(commonName, period, [
    critical(EXTENSION.basicConstraints, CA_OF_END_CERTIFICATES),
    critical(EXTENSION.keyUsage, keyUsage(KEY_USAGE.keyCertSign | KEY_USAGE.cRLSign)),
  ]);
}

/**
 * The `federation` port's certificate. A CA in form, so that clients given this file as their root accept it; path
 * length 0, and the key signs nothing else.
 */
export function makeNodeCertificate(nodeID: string, dnsNames: readonly string[], period: Period): KeyAndCertificate {
  return selfSigned(nodeID, period, [
    critical(EXTENSION.basicConstraints, CA_OF_END_CERTIFICATES),
    critical(EXTENSION.keyUsage, keyUsage(KEY_USAGE.digitalSignature | KEY_USAGE.keyCertSign)),
    extension(EXTENSION.extendedKeyUsage, purposes(PURPOSE.serverAuth, PURPOSE.clientAuth)),
    extension(EXTENSION.subjectAltName, subjectNames(dnsNames)),
  ]);
}

/** Server certificate of a node's admin port, for every pod the node can have. @throws {Error} no CA certificate */
export function issueServer(
  authority: KeyAndCertificate,
  dnsNames: readonly string[],
  period: Period,
): KeyAndCertificate {
  return issue(authority, dnsNames[0] ?? "", period, [
    extension(EXTENSION.extendedKeyUsage, purposes(PURPOSE.serverAuth)),
    extension(EXTENSION.subjectAltName, subjectNames(dnsNames)),
  ]);
}

/** @throws {Error} no CA certificate */
export function issueClient(authority: KeyAndCertificate, commonName: string, period: Period): KeyAndCertificate {
  return issue(authority, commonName, period, [extension(EXTENSION.extendedKeyUsage, purposes(PURPOSE.clientAuth))]);
}

function selfSigned(commonName: string, period: Period, extensions: readonly Buffer[]): KeyAndCertificate {
  const { key, spki } = generateKey();
  const name = nameOf(commonName);
  const own = extension(EXTENSION.subjectKeyIdentifier, der.octetString(keyIdentifier(spki)));
  const certificate = certify({ issuer: name, subject: name, period, spki, extensions: [...extensions, own] }, key);
  return { key, certificate };
}

function issue(
  authority: KeyAndCertificate,
  commonName: string,
  period: Period,
  extensions: readonly Buffer[],
): KeyAndCertificate {
  const { key, spki } = generateKey();
  const issuer = new X509Certificate(authority.certificate);
  const issuerKey = keyIdentifier(issuer.publicKey.export({ type: "spki", format: "der" }));
  const contents = {
    issuer: subjectOf(issuer),
    subject: nameOf(commonName),
    period,
    spki,
    extensions: [
      critical(EXTENSION.basicConstraints, NO_CA),
      critical(EXTENSION.keyUsage, keyUsage(KEY_USAGE.digitalSignature)),
      extension(EXTENSION.authorityKeyIdentifier, der.sequence(der.implicit(0, issuerKey))),
      ...extensions,
    ],
  };
  return { key, certificate: certify(contents, authority.key) };
}

interface Contents {
  /** Names and key as DER elements. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly period: Period;
  readonly spki: Buffer;
  readonly extensions: readonly Buffer[];
}

const VERSION_3 = der.explicit(0, der.integer(Buffer.of(2)));
const ECDSA_WITH_SHA256 = der.sequence(der.objectIdentifier("1.2.840.10045.4.3.2"));

/** @returns PEM, signed with `key` (PKCS#8 PEM) */
function certify({ issuer, subject, period, spki, extensions }: Contents, key: string): string {
  const toSign = der.sequence(
    VERSION_3,
    der.integer(serialNumber()),
    ECDSA_WITH_SHA256,
    issuer,
    der.sequence(der.time(period.notBefore), der.time(period.notAfter)),
    subject,
    spki,
    der.explicit(3, der.sequence(...extensions)),
  );
  const signature = sign("sha256", toSign, key);
  const bytes = der.sequence(toSign, ECDSA_WITH_SHA256, der.bitString(signature));
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function generateKey(): { readonly key: string; readonly spki: Buffer } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "der" },
  });
  return { key: privateKey, spki: publicKey };
}

/** 16 random bytes, first bit clear: positive, and far over the 64 bits that RFC 5280 users ask for. */
function serialNumber(): Buffer {
  return Buffer.concat([Buffer.of(0x40), randomBytes(15)]);
}

const COMMON_NAME = der.objectIdentifier("2.5.4.3");
/** `ub-common-name` of RFC 5280; a node id is just as long. Whoever checks a longer host looks at the DNS names. */
const COMMON_NAME_MAX = 64;

function nameOf(commonName: string): Buffer {
  return der.sequence(der.setOf(der.sequence(COMMON_NAME, der.utf8String(commonName.slice(0, COMMON_NAME_MAX)))));
}

/** The issuer of what a CA signs is its subject, byte for byte. */
function subjectOf(certificate: X509Certificate): Buffer {
  const [toSign] = der.children(certificate.raw);
  const subject = toSign === undefined ? undefined : der.children(toSign)[SUBJECT_AT];
  if (subject === undefined) throw new RangeError("a certificate without a subject");
  return subject;
}

/** After version, serial number, algorithm, issuer and validity. */
const SUBJECT_AT = 5;

/** SHA-1 of the public key's bits (RFC 5280 4.2.1.2, method 1): a name, not a protection. */
function keyIdentifier(spki: Uint8Array): Buffer {
  const bits = der.children(spki)[1]?.subarray(BIT_STRING_HEAD_BYTES) ?? Buffer.alloc(0);
  return createHash("sha1").update(bits).digest();
}

/** Tag, length and count of unused bits before the 65 bytes of a P-256 key. */
const BIT_STRING_HEAD_BYTES = 3;

const EXTENSION = {
  subjectKeyIdentifier: der.objectIdentifier("2.5.29.14"),
  keyUsage: der.objectIdentifier("2.5.29.15"),
  subjectAltName: der.objectIdentifier("2.5.29.17"),
  basicConstraints: der.objectIdentifier("2.5.29.19"),
  authorityKeyIdentifier: der.objectIdentifier("2.5.29.35"),
  extendedKeyUsage: der.objectIdentifier("2.5.29.37"),
} as const;

const PURPOSE = {
  serverAuth: der.objectIdentifier("1.3.6.1.5.5.7.3.1"),
  clientAuth: der.objectIdentifier("1.3.6.1.5.5.7.3.2"),
} as const;

/** Bits of the first byte, the first of the standard's list being the highest. */
const KEY_USAGE = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const;

const CA_OF_END_CERTIFICATES = der.sequence(der.boolean(true), der.integer(Buffer.of(0)));
/** Absent means false, and DER writes no defaults. */
const NO_CA = der.sequence();

function extension(id: Buffer, value: Buffer): Buffer {
  return der.sequence(id, der.octetString(value));
}

function critical(id: Buffer, value: Buffer): Buffer {
  return der.sequence(id, der.boolean(true), der.octetString(value));
}

/** The lowest bits that are zero do not count (X.690 11.2.2). */
function keyUsage(bits: number): Buffer {
  return der.bitString(Buffer.of(bits), 31 - Math.clz32(bits & -bits));
}

function purposes(...ids: readonly Buffer[]): Buffer {
  return der.sequence(...ids);
}

/** Names of the DNS kind, which is number 2. */
function subjectNames(names: readonly string[]): Buffer {
  return der.sequence(...names.map((name) => der.implicit(2, Buffer.from(name, "latin1"))));
}
