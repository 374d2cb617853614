/** Whether a body without a type is a page, by its first bytes, as browsers decide it. Pure. */

/** Bytes looked at: comments and blank lines may stand before the first tag. */
const SNIFFED_BYTES = 1_445;

/**
 * Tags of the standard's table, at the end of a tag's name.
 * @see https://mimesniff.spec.whatwg.org/#identifying-a-resource-with-an-unknown-mime-type
 */
const FIRST_TAG =
  /^(?:\xef\xbb\xbf)?[\t\n\f\r ]*<(?:(?:!doctype html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[ >]|!--)/i;

export function beginsAsHtml(body: Uint8Array): boolean {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.length, SNIFFED_BYTES)).toString("latin1");
  return FIRST_TAG.test(start);
}
