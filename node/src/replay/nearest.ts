/** Which capture of a URL answers for a moment: the nearest one, unless it would lead in a circle or is a mere part of a page. */
import { type AccessScope, isVisible } from "../cdx/access.ts";
import type { CaptureRange, CaptureReader, StoredCapture } from "../cdx/stored-capture.ts";
import { surt } from "../cdx/surt.ts";
import { earliestMoment } from "../cdx/timestamp.ts";

/** Captures of one URL that are looked at for the nearest; more than any archive has of one page in a year. */
const MAX_CANDIDATES = 10_000;
/** Redirects followed to see whether they lead back; browsers give up at 20. */
const MAX_HOPS = 8;
/** A full page so close to a 304 or a 206 answers in its place. */
const NEIGHBOURHOOD_SECONDS = 30 * 24 * 3_600;
/** Answers that are no page by themselves: the client's copy is meant, or a part was asked for. */
const PARTIAL: ReadonlySet<number> = new Set([206, 304]);

export interface Wanted {
  readonly urlkey: string;
  /** 14 digits. */
  readonly at: string;
  /** Which captures may be it, among those that are visible. */
  readonly fits: (capture: StoredCapture) => boolean;
  /** Captures after that time are none. */
  readonly onlyBefore?: boolean;
}

export async function nearest(
  captures: CaptureReader,
  scope: AccessScope,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<StoredCapture | undefined> {
  const fits = (capture: StoredCapture): boolean => wanted.fits(capture) && isVisible(scope, capture);
  const scan = (range: Pick<CaptureRange, "timeFrom" | "timeTo" | "descending">) =>
    captures.scan(scope.name, { keyFrom: wanted.urlkey, keyTo: undefined, ...range }, signal);
  const [before, after] = await Promise.all([
    firstOf(scan({ timeFrom: undefined, timeTo: wanted.at, descending: true }), fits),
    wanted.onlyBefore === true
      ? undefined
      : firstOf(scan({ timeFrom: wanted.at, timeTo: undefined, descending: false }), fits),
  ]);
  if (before === undefined || after === undefined) return before ?? after;
  const sinceSeconds = secondsOf(wanted.at) - secondsOf(before.timestamp);
  return sinceSeconds <= secondsOf(after.timestamp) - secondsOf(wanted.at) ? before : after;
}

async function firstOf(
  batches: AsyncIterable<readonly StoredCapture[]>,
  fits: (capture: StoredCapture) => boolean,
): Promise<StoredCapture | undefined> {
  let seen = 0;
  for await (const batch of batches) {
    const found = batch.find(fits);
    seen += batch.length;
    if (found !== undefined || seen >= MAX_CANDIDATES) return found;
  }
  return undefined;
}

/** Of 14 digits; an impossible date, as some captures carry, still has a place in the order. */
function secondsOf(timestamp: string): number {
  const part = (start: number, end: number): number => Number(timestamp.slice(start, end));
  return Date.UTC(part(0, 4), part(4, 6) - 1, part(6, 8), part(8, 10), part(10, 12), part(12, 14)) / 1000;
}

/** @returns `undefined` when the URL is not held, or hidden */
export async function bestCapture(
  captures: CaptureReader,
  scope: AccessScope,
  wanted: { readonly url: string; readonly timestamp: string },
  signal: AbortSignal,
): Promise<StoredCapture | undefined> {
  const [urlkey, at] = [surt(wanted.url), earliestMoment(wanted.timestamp)];
  const find = (fits: Wanted["fits"]) => nearest(captures, scope, { urlkey, at, fits }, signal);
  const found = await find(() => true);
  if (found === undefined) return undefined;
  if (PARTIAL.has(found.status ?? 0) && found.type !== "revisit") {
    const full = await find(({ status }) => status === 200);
    return full !== undefined && secondsBetween(full, found) <= NEIGHBOURHOOD_SECONDS ? full : found;
  }
  if (!(await leadsBack(captures, scope, found, signal))) return found;
  const other = await find((capture) => targetKey(capture) !== urlkey);
  if (other === undefined || !(await leadsBack(captures, scope, other, signal))) return other ?? found;
  return (await find((capture) => targetKey(capture) === undefined)) ?? found;
}

/** True when whoever follows the redirects from here comes here again. */
async function leadsBack(
  captures: CaptureReader,
  scope: AccessScope,
  start: StoredCapture,
  signal: AbortSignal,
): Promise<boolean> {
  let capture = start;
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const urlkey = targetKey(capture);
    if (urlkey === undefined || urlkey === start.urlkey) return urlkey !== undefined;
    const next = await nearest(captures, scope, { urlkey, at: capture.timestamp, fits: () => true }, signal);
    if (next === undefined) return false;
    capture = next;
  }
  return false;
}

/** Of what a redirect leads to; `undefined` for every other capture. */
function targetKey({ url, redirect }: StoredCapture): string | undefined {
  const target = redirect === undefined ? undefined : URL.parse(redirect, url)?.href;
  return target === undefined ? undefined : surt(target);
}

function secondsBetween(a: StoredCapture, b: StoredCapture): number {
  return Math.abs(secondsOf(a.timestamp) - secondsOf(b.timestamp));
}
