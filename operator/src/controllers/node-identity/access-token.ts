/** The bearer token for writes and Private collections: random at first, the user's to change. */
import { randomBytes } from "node:crypto";
import { KEY_FILES, tokenProblem } from "@archivestream/node/contract";
import { IdentityError } from "./errors.ts";
import { decode, encode, type SecretData } from "./identity-key.ts";

const TOKEN_BYTES = 32;

export const accessToken = {
  /** @throws {IdentityError} the node would accept no token at all */
  inspect: (secret: string, data: SecretData): string | undefined => {
    const token = decode(data, KEY_FILES.accessToken).trim();
    const reason = tokenProblem(token);
    if (token !== "" && reason !== undefined)
      throw new IdentityError("BAD_KEY", { secret, field: KEY_FILES.accessToken, reason });
    return token || undefined;
  },
  make: async (): Promise<SecretData> => ({
    [KEY_FILES.accessToken]: encode(randomBytes(TOKEN_BYTES).toString("base64url")),
  }),
};
