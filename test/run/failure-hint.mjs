/** What to do about failures that have nothing to do with the sources: pure. */

const NODE_MINIMUM = 20;
const MIB = 2 ** 20;
/** Below this a disk counts as full: programs clean up behind a failed write, so it is rarely at zero afterwards. */
const FULL_BELOW = 100 * MIB;

/** @param {string} version of the Node that runs the scripts, like "20.11.1" */
export function nodeProblem(version) {
  if (Number(version.split(".")[0]) >= NODE_MINIMUM) return undefined;
  return `Node is ${version}, too old. Install Node ${NODE_MINIMUM} or newer from https://nodejs.org/ and run this again.`;
}

/**
 * @param {string} message of the failure, with the end of the failed program's output
 * @param {Array<[string, number | undefined]>} folders that are written to, with the bytes left there where known
 * @returns {string | undefined} a line that says what to do
 */
export function failureHint(message, folders) {
  if (message.includes("ARCHIVE_CACHE")) return undefined; // it says what to do itself
  const full = folders.find(([, bytes]) => bytes !== undefined && bytes < FULL_BELOW);
  if (full !== undefined) {
    return `The disk is full at ${full[0]}. Free some space there, or set ARCHIVE_CACHE and TMPDIR to folders on a larger disk, and run the same command again.`;
  }
  if (/ENOSPC|no space left on device/i.test(message)) {
    return "A disk is full: the message above names the file. Free some space there (`df -h` shows all disks) and run the same command again.";
  }
  if (
    /ENOTFOUND|EAI_AGAIN|could not resolve|temporary failure (in name resolution|resolving)|no such host/i.test(message)
  ) {
    return "A name could not be resolved: this needs the network until everything is in the cache. Run the same command again once it is there.";
  }
  return undefined;
}
