/** The language of a page: what its words say when they say it clearly, else what the page declares. */
import { eld } from "eld/small";

/** The detector looks at no more. */
const SAMPLE_CHARS = 1_000;
const CODE = /^[a-z]{2,3}$/;
/** The detector calls Norwegian by its written standard; the stemmer and users by the language. */
const SAME_LANGUAGE: Readonly<Record<string, string>> = { nb: "no", nn: "no" };

/** @returns ISO 639-1 code, or `undefined` when neither words nor page tell */
export function detectLanguage(text: string, declared: string | undefined): string | undefined {
  const result = eld.detect(text.slice(0, SAMPLE_CHARS));
  const fallback = declared !== undefined && CODE.test(declared) ? declared : undefined;
  const code = result.language !== "" && result.isReliable() ? result.language : (fallback ?? result.language);
  return code === "" ? undefined : (SAME_LANGUAGE[code] ?? code);
}
