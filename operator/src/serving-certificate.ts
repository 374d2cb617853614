/** The certificate of the operator's own HTTPS port: of mounted files, or self-signed. Part of the composition root. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  certificatePeriod,
  makeNodeCertificate,
  periodFrom,
  renewAt,
} from "./controllers/node-identity/certificates.ts";
import type { ServingCertificate } from "./runtime/metrics-server.ts";

const SELF_SIGNED_MS = 90 * 24 * 3_600_000;

/** @param folder - with `tls.crt` and `tls.key`, as a Secret of type kubernetes.io/tls is mounted */
export function mountedCertificate(folder: string): () => Promise<ServingCertificate> {
  const read = (name: string) => readFile(join(folder, name), "utf8");
  return async () => ({ certificate: await read("tls.crt"), key: await read("tls.key") });
}

/** A certificate that nobody can check, against those who only listen; made anew at two thirds of 90 days. */
export function selfSignedCertificate(name: string, now: () => Date): () => Promise<ServingCertificate> {
  let made: ServingCertificate | undefined;
  return async () => {
    if (made === undefined || renewAt(certificatePeriod(made.certificate)) <= now())
      made = await makeNodeCertificate(name, [name], periodFrom(now(), SELF_SIGNED_MS));
    return made;
  };
}
