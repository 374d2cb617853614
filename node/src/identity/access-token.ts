/** The bearer token for writes and for collections that are not public. Compared in constant time, swapped when its file changes. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { tokenProblem } from "../contract/access-token.ts";
import { IdentityError } from "./errors.ts";

const hash = (text: string) => createHash("sha256").update(text, "utf8").digest();

export class AccessToken {
  readonly #file: string;
  #expected: Buffer | undefined;
  #trouble: string | undefined;

  /** Matches nothing until the file was taken. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Why no token is accepted, and what to do; `undefined` when one is. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Hashes first, so that neither length nor content shows in the time taken. */
  matches(offered: string): boolean {
    return this.#expected !== undefined && timingSafeEqual(this.#expected, hash(offered));
  }

  /**
   * Accepts what the file holds now, and nothing else: who put something unusable there has revoked the token before it.
   * The node goes on without a token, for readers need none.
   */
  async takeFile(): Promise<void> {
    try {
      this.#expected = hash(await readToken(this.#file));
      this.#trouble = undefined;
    } catch (error) {
      this.#expected = undefined;
      if (!(error instanceof IdentityError)) throw error;
      this.#trouble = `no access token is accepted: ${error.message}`;
    }
  }
}

/** @throws {IdentityError} `BAD_KEY_FILE` when the file cannot be read or holds no usable token */
async function readToken(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "cannot be read" }, { cause: error });
  });
  const token = text.trim();
  const reason = tokenProblem(token);
  if (reason !== undefined) throw new IdentityError("BAD_KEY_FILE", { file, reason });
  return token;
}
