/** The bearer token for writes and Private collections: random at first, the user's to change. */
import { randomBytes } from "node:crypto";
import { KEY_FILES } from "@archivestream/node/contract";
import { decode, encode, type SecretData } from "./identity-key.ts";

const TOKEN_BYTES = 32;

export const accessToken = {
  inspect: (data: SecretData): string | undefined => decode(data, KEY_FILES.accessToken).trim() || undefined,
  make: async (): Promise<SecretData> => ({
    [KEY_FILES.accessToken]: encode(randomBytes(TOKEN_BYTES).toString("base64url")),
  }),
};
