/** The bearer token for writes and for collections that are not public. Compared in constant time, swapped when its file changes. */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { IdentityError } from "./errors.ts";

/** What an `Authorization` header can carry (RFC 6750, 2.1). */
const SENDABLE = /^[A-Za-z0-9._~+/-]+=*$/;
/** Shorter tokens could be guessed over the network. */
const SHORTEST_TOKEN = 16;

const hash = (text: string) => createHash("sha256").update(text, "utf8").digest();

export class AccessToken {
  #expected: Buffer;

  constructor(token: string) {
    this.#expected = hash(token);
  }

  /** Hashes first, so that neither length nor content shows in the time taken. */
  matches(offered: string): boolean {
    return timingSafeEqual(this.#expected, hash(offered));
  }

  replace(token: string): void {
    this.#expected = hash(token);
  }
}

/** @throws {IdentityError} `BAD_KEY_FILE` when the file cannot be read or holds no usable token */
export async function readToken(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new IdentityError("BAD_KEY_FILE", { file, reason: "cannot be read" }, { cause: error });
  });
  const token = text.trim();
  if (token.length < SHORTEST_TOKEN) {
    throw new IdentityError("BAD_KEY_FILE", { file, reason: `holds fewer than ${SHORTEST_TOKEN} characters` });
  }
  if (!SENDABLE.test(token)) {
    const reason = "holds characters that no Authorization header carries: use letters, digits and . _ ~ + / -";
    throw new IdentityError("BAD_KEY_FILE", { file, reason });
  }
  return token;
}
