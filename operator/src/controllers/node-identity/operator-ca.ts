/**
 * The operator's own CA: it signs the admin servers of the pods and the operator's client certificate, nothing else.
 *
 * Rotation overlaps: the Secret holds the certificates of the current CA and of the one before it, pods trust both,
 * and the old one leaves the bundle when it has ended.
 */
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

const AUTHORITY_LIFETIME_MS = 5 * 365 * 24 * 3_600_000;
const SERVER_LIFETIME_MS = 90 * 24 * 3_600_000;
const CLIENT_LIFETIME_MS = 7 * 24 * 3_600_000;

/** The CA as it is used: its key, and everything to trust while rotations overlap. */
export interface OperatorAuthority extends KeyAndCertificate {
  readonly bundle: string;
}

type DatedAuthority = OperatorAuthority & Dated;

/** A first CA, or the successor of `before` with both in the bundle. */
export async function renewAuthority(before: OperatorAuthority | undefined, now: Date): Promise<SecretData> {
  const next = await makeAuthority("archive-operator-ca", periodFrom(now, AUTHORITY_LIFETIME_MS));
  const kept = before !== undefined && certificatePeriod(before.certificate).notAfter > now ? before.certificate : "";
  return {
    [AUTHORITY_FILES.key]: encode(next.key),
    [AUTHORITY_FILES.certificate]: encode(next.certificate),
    [AUTHORITY_FILES.bundle]: encode(next.certificate + kept),
  };
}

/** @throws {Error} the Secret holds no CA */
export function readAuthority(data: SecretData): DatedAuthority {
  const certificate = decode(data, AUTHORITY_FILES.certificate);
  const period = certificatePeriod(certificate);
  return {
    key: decode(data, AUTHORITY_FILES.key),
    certificate,
    bundle: decode(data, AUTHORITY_FILES.bundle),
    notBefore: period.notBefore,
    renewAfter: renewAt(period),
  };
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
