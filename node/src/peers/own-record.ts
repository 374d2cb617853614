/**
 * The node's own peer record: made when it is first asked for, kept on disk with its sequence, and made anew when what it
 * says changes or a third of its life is over. Others take a record only when its sequence is higher.
 */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import Value from "typebox/value";
import { ASFP_FEATURES, ASFP_LIMITS, ASFP_VERSIONS } from "../asfp/limits.ts";
import { type PeerRecord, type SignedPeerRecord, SignedPeerRecordSchema, signPeerRecord } from "../asfp/peer-record.ts";
import { canonicalJson } from "../contract/canonical-json.ts";
import { writeDurably } from "../identity/durable-file.ts";
import type { NodeKeys } from "../identity/key-files.ts";
import { spkiDigest } from "./spki.ts";

const REFRESH_AFTER_MS = ASFP_LIMITS.recordLifetimeMs / 3;

export interface OwnRecordSource {
  /** Where it is kept. */
  readonly file: string;
  readonly keys: () => NodeKeys;
  /** Base URL that peers are told. */
  readonly endpoint: () => string;
  readonly capabilities: readonly string[];
  /** Version of the program. */
  readonly program: string;
  readonly nowMs: () => number;
}

export class OwnRecord {
  readonly #source: OwnRecordSource;
  #kept: SignedPeerRecord | undefined;
  #isLoaded = false;
  /** One after the other, so that no sequence is given out twice. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(source: OwnRecordSource) {
    this.#source = source;
  }

  current(): Promise<SignedPeerRecord> {
    const turn = this.#last.then(() => this.#currentOrNew());
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #currentOrNew(): Promise<SignedPeerRecord> {
    const { file, keys, nowMs } = this.#source;
    if (!this.#isLoaded) {
      this.#kept = await readKept(file);
      this.#isLoaded = true;
    }
    const said = this.#says();
    if (this.#kept !== undefined && isCurrent(this.#kept.record, said, nowMs())) return this.#kept;
    const issuedAt = nowMs();
    const seq = Math.max((this.#kept?.record.seq ?? 0) + 1, issuedAt);
    const times = { issued_at: issuedAt, expires_at: issuedAt + ASFP_LIMITS.recordLifetimeMs };
    const signed = signPeerRecord({ ...said, seq, ...times }, keys().serviceKey);
    await writeDurably(file, `${JSON.stringify(signed)}\n`);
    this.#kept = signed;
    return signed;
  }

  #says(): Omit<PeerRecord, "seq" | "issued_at" | "expires_at"> {
    const { keys, endpoint, capabilities, program } = this.#source;
    const { nodeId, delegation, tls } = keys();
    return {
      node_id: nodeId,
      endpoint: endpoint(),
      capabilities: [...capabilities],
      versions: [...ASFP_VERSIONS],
      features: [...ASFP_FEATURES],
      program,
      delegation: { delegation: delegation.delegation, sig: delegation.sig },
      tls_spki: [spkiDigest(new X509Certificate(tls.cert))],
    };
  }
}

function isCurrent(held: PeerRecord, said: object, nowMs: number): boolean {
  const age = nowMs - held.issued_at;
  const { seq: _seq, issued_at: _issued, expires_at: _expires, ...says } = held;
  // A record from the future was made before the clock was set back: it stays until its third is over by its own times.
  return age < REFRESH_AFTER_MS && canonicalJson(says) === canonicalJson(said);
}

/** A file that is damaged is as one that is not there: the sequence then begins at the clock's time. */
async function readKept(file: string): Promise<SignedPeerRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, "utf8"));
    return Value.Check(SignedPeerRecordSchema, value) ? value : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
