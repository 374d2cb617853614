/**
 * Holds the newest of a sequenced document (trust, federation), whichever way it came: mounted file, PUT, or the copy
 * kept on the volume, so that a restart never goes back to an older one.
 */
import { readFile } from "node:fs/promises";
import type { TSchema } from "typebox";
import Value from "typebox/value";
import { documentDigest } from "../contract/sequenced-documents.ts";
import { writeDurably } from "./durable-file.ts";
import { IdentityError } from "./errors.ts";

export interface Sequenced {
  readonly sequence: number;
  readonly issuedAt: string;
  readonly digest: string;
}

/** `changed` as the issue after `held`, or `held` itself when it says the same. */
function reissued<T extends Sequenced>(held: T, changed: T, now: Date): T {
  const digest = documentDigest(changed);
  if (digest === held.digest) return held;
  return { ...changed, sequence: held.sequence + 1, issuedAt: `${now.toISOString().slice(0, 19)}Z`, digest };
}

export class DocumentHolder<T extends Sequenced> {
  readonly #schema: TSchema;
  readonly #keptFile: string;
  #current: T | undefined;
  readonly #listeners = new Set<() => void>();
  /** Offers are taken one after the other, so that files and memory agree. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param schema - of `T` */
  constructor(schema: TSchema, keptFile: string) {
    this.#schema = schema;
    this.#keptFile = keptFile;
  }

  /** Told whenever another issue is in use. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  get current(): T | undefined {
    return this.#current;
  }

  /** Sequence 0 when there is none yet. */
  get observed(): Pick<Sequenced, "sequence" | "digest"> {
    return { sequence: this.#current?.sequence ?? 0, digest: this.#current?.digest ?? "" };
  }

  /** Reads the copy kept on the volume, if there is one. @throws {IdentityError} */
  async load(): Promise<void> {
    const document = await readDocument(this.#keptFile);
    if (document !== undefined) this.#current = this.#check(document);
  }

  /**
   * Takes a document when it is valid and newer, and keeps it on the volume before using it.
   *
   * @throws {IdentityError} `BAD_DOCUMENT`, `DOCUMENT_DIGEST_MISMATCH`, `DOCUMENT_SEQUENCE_OLD`
   */
  offer(value: unknown): Promise<void> {
    const turn = this.#last.then(() => this.#take(value));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Takes the changed content as the next issue; writes nothing when the content stays as it is.
   *
   * @throws {IdentityError} as `offer`, and `BAD_DOCUMENT` while there is no document
   */
  edit(change: (current: T) => T, now: Date): Promise<void> {
    const turn = this.#last.then(() => this.#takeChanged(change, now));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  /** Offers a mounted file; one that is absent or not newer is no error. @throws {IdentityError} as `offer` */
  async offerFile(file: string): Promise<void> {
    const value = await readDocument(file);
    if (value === undefined) return;
    await this.offer(value).catch((error: unknown) => {
      if (!(error instanceof IdentityError && error.code === "DOCUMENT_SEQUENCE_OLD")) throw error;
    });
  }

  async #takeChanged(change: (current: T) => T, now: Date): Promise<void> {
    const held = this.#current;
    if (held === undefined) throw new IdentityError("BAD_DOCUMENT", { reason: "there is none yet to change" });
    const next = reissued(held, change(held), now);
    if (next !== held) await this.#take(next);
  }

  async #take(value: unknown): Promise<void> {
    const document = this.#check(value);
    const held = this.observed.sequence;
    if (document.sequence <= held) {
      throw new IdentityError("DOCUMENT_SEQUENCE_OLD", { held, offered: document.sequence });
    }
    await writeDurably(this.#keptFile, `${JSON.stringify(document)}\n`);
    this.#current = document;
    for (const listener of this.#listeners) listener();
  }

  #check(value: unknown): T {
    if (!Value.Check(this.#schema, value)) {
      const [first] = Value.Errors(this.#schema, value);
      const reason = `${first?.instancePath || "/"}: ${first?.message ?? "does not match the schema"}`;
      throw new IdentityError("BAD_DOCUMENT", { reason });
    }
    const document = value as T;
    const actual = digestOf(document);
    if (document.digest !== actual) {
      throw new IdentityError("DOCUMENT_DIGEST_MISMATCH", { expected: document.digest, actual });
    }
    return document;
  }
}

/** Fields beyond the schema may hold what has no canonical form: half a character, a number out of range, endless nesting. */
function digestOf(document: object): string {
  try {
    JSON.stringify(document);
    return documentDigest(document);
  } catch (error) {
    throw new IdentityError("BAD_DOCUMENT", { reason: "/: has no canonical form" }, { cause: error });
  }
}

async function readDocument(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new IdentityError("BAD_DOCUMENT", { reason: `${file} is not JSON` }, { cause: error });
  }
}
