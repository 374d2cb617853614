/** Numbers of the protocol that hold for handshakes and for every call between peers. Sizes in bytes, times in milliseconds. */
export const ASFP_LIMITS = {
  /** Signed peer record in its canonical form. */
  recordBytes: 4 * 1024,
  recordLifetimeMs: 30 * 24 * 3_600_000,
  /** Slack of absolute times in records and delegations: a clock that is a day off locks nobody out. */
  clockSlackMs: 2 * 24 * 3_600_000,
  handshakeBodyBytes: 8 * 1024,
  challengeChars: 512,
  challengeLifetimeMs: 60_000,
  sessionLifetimeMs: 600_000,
  /** First rounds of strangers from one address group, a minute. */
  handshakesPerGroup: 10,
  /** Proven handshakes of one stranger, a minute. */
  handshakesPerNode: 3,
  /** A second; strangers and those who say to be trusted peers are counted apart. */
  handshakesPerSecond: 50,
  headerBytes: 16 * 1024,
  urlChars: 2048,
  /** Text of a peer in logs, reports and errors. */
  peerTextChars: 256,
} as const;

/** What this program speaks. */
export const ASFP_VERSION = "1.0";
export const ASFP_VERSIONS: readonly string[] = [ASFP_VERSION];
export const ASFP_FEATURES: readonly string[] = ["token", "feed"];

/** Whether one of a peer's versions is of the major that this program speaks. */
export function speaksOurMajor(versions: readonly string[]): boolean {
  return versions.some((version) => version.split(".")[0] === "1");
}
