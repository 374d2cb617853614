/** What is written in an allow-list Secret: one node id per line, `#` starts a comment. Pure. */

/** Key inside the Secret. */
export const ALLOW_LIST_KEY = "node-ids";
const NODE_ID = /^[0-9a-f]{64}$/;

export type AllowList =
  | { readonly state: "read"; readonly nodeIDs: readonly string[] }
  /** Said in words that name the line. */
  | { readonly state: "invalid"; readonly problem: string };

export function parseAllowList(text: string): AllowList {
  const nodeIDs = new Set<string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const nodeID = line.replace(/#.*$/, "").trim();
    if (nodeID === "") continue;
    if (!NODE_ID.test(nodeID))
      return { state: "invalid", problem: `line ${index + 1} is not a node id (64 lower-case hexadecimal digits)` };
    nodeIDs.add(nodeID);
  }
  return { state: "read", nodeIDs: [...nodeIDs].sort() };
}
