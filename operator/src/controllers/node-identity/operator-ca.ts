/**
 * The operator's own CA: it signs the admin servers of the pods and the operator's client certificate, nothing else.
 *
 * Rotation overlaps: the Secret holds the certificates of the current CA and of the one before it, pods trust both,
 * and the old one leaves the bundle when it has ended. The operator goes on showing what the old one signed for some
 * days, because a pod has the new bundle a minute later.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { ADMIN_CLIENT_NAME, KEY_FILES } from "@archivestream/node/contract";
import {
  certificatePeriod,
  type Dated,
  isFromTheFuture,
  issueClient,
  issueServer,
  type KeyAndCertificate,
  makeAuthority,
  periodFrom,
  renewAt,
} from "./certificates.ts";
import { decode, encode, type SecretData } from "./identity-key.ts";

/** Name of the Secret in the operator's namespace. */
export const AUTHORITY_SECRET = "archive-operator-ca";
/** Keys of that Secret. `bundle` is what pods and the operator trust. */
export const AUTHORITY_FILES = { key: "ca.key", certificate: "ca.crt", bundle: "bundle.crt" } as const;

const PEM_CERTIFICATES = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
const AUTHORITY_LIFETIME_MS = 5 * 365 * 24 * 3_600_000;
const SERVER_LIFETIME_MS = 90 * 24 * 3_600_000;
const CLIENT_LIFETIME_MS = 7 * 24 * 3_600_000;

/** The CA as it is used: its key, and everything to trust while rotations overlap. */
export interface OperatorAuthority extends KeyAndCertificate {
  readonly bundle: string;
}

export type DatedAuthority = OperatorAuthority & Dated & { readonly notAfter: Date };

/** A CA that is or was trusted, with or without its key. */
export type KnownAuthority = Pick<OperatorAuthority, "certificate">;

/** A first CA, or the successor of `before` with both in the bundle. */
export async function renewAuthority(before: KnownAuthority | undefined, now: Date): Promise<SecretData> {
  const next = await makeAuthority("archive-operator-ca", periodFrom(now, AUTHORITY_LIFETIME_MS));
  const kept = before !== undefined && certificatePeriod(before.certificate).notAfter > now ? before.certificate : "";
  return {
    [AUTHORITY_FILES.key]: encode(next.key),
    [AUTHORITY_FILES.certificate]: encode(next.certificate),
    [AUTHORITY_FILES.bundle]: encode(next.certificate + kept),
  };
}

/** @throws {Error} the Secret holds no CA that can sign and be believed: every part is looked at */
export function readAuthority(data: SecretData): DatedAuthority {
  const [key, certificate, bundle] = (["key", "certificate", "bundle"] as const).map((part) =>
    decode(data, AUTHORITY_FILES[part]),
  ) as [string, string, string];
  const period = certificatePeriod(certificate);
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new Error(`${AUTHORITY_FILES.key} is not the key of ${AUTHORITY_FILES.certificate}`);
  if (!bundle.includes(certificate)) throw new Error(`${AUTHORITY_FILES.bundle} lacks ${AUTHORITY_FILES.certificate}`);
  for (const [trusted] of bundle.matchAll(PEM_CERTIFICATES)) certificatePeriod(trusted);
  return {
    key,
    certificate,
    bundle,
    notBefore: period.notBefore,
    notAfter: period.notAfter,
    renewAfter: renewAt(period),
  };
}

/** What pods were given to trust, if that can be read, whatever became of the rest. */
export function readKnownAuthority(data: SecretData): KnownAuthority | undefined {
  const certificate = decode(data, AUTHORITY_FILES.certificate);
  try {
    certificatePeriod(certificate);
    return { certificate };
  } catch {
    return undefined;
  }
}

/** Content of `<n>-admin-tls`. */
export async function makeAdminTls(
  authority: OperatorAuthority,
  serverNames: readonly string[],
  now: Date,
): Promise<SecretData> {
  const { key, certificate } = await issueServer(authority, serverNames, periodFrom(now, SERVER_LIFETIME_MS));
  return {
    [KEY_FILES.tlsKey]: encode(key),
    [KEY_FILES.tlsCert]: encode(certificate),
    [KEY_FILES.adminCa]: encode(authority.bundle),
  };
}

/** When `<n>-admin-tls` is due: at two thirds of its life, at once without the current bundle or before its time. */
export function adminTlsRenewal(data: SecretData, authority: OperatorAuthority, now: Date): Date | "now" {
  try {
    if (decode(data, KEY_FILES.adminCa) !== authority.bundle) return "now";
    const period = certificatePeriod(decode(data, KEY_FILES.tlsCert));
    return isFromTheFuture(period, now) ? "now" : renewAt(period);
  } catch {
    return "now";
  }
}

/** What the operator shows to the pods. Short-lived and only in memory: each process makes its own. */
export async function makeAdminClient(authority: OperatorAuthority, now: Date): Promise<KeyAndCertificate & Dated> {
  const period = periodFrom(now, CLIENT_LIFETIME_MS);
  return {
    ...(await issueClient(authority, ADMIN_CLIENT_NAME, period)),
    notBefore: period.notBefore,
    renewAfter: renewAt(period),
  };
}
