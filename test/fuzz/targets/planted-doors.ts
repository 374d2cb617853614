/** The watched part of the planted target: each door is a branch of its own. */
export function openDoors(bytes: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  if (a % 4 !== 1) return 0;
  if (b % 4 !== 2) return 1;
  if (c % 4 !== 1) return 2;
  if (d % 4 !== 0) return 3;
  if (e % 4 !== 2) return 4;
  if (f % 4 !== 3) return 5;
  return 6;
}
