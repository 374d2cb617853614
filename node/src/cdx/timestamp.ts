/** Times of captures: 14 digits, UTC. Pure. */

/** Of a clock, whole seconds. */
export function timestampOf(time: Date): string {
  return time.toISOString().replace(/\D/g, "").slice(0, 14);
}

/** The first moment that 0 to 14 digits can mean: `2024` is the start of its first of January. */
export function earliestMoment(digits: string): string {
  return digits + "00000101000000".slice(digits.length);
}
