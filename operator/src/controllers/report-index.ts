/** Pages that pods report, by node id. Each page is read once, however many peers are looked up in it. Pure. */
import type { AdminDiscoveries, AdminPeers } from "@archivestream/node/contract";

type Named = { readonly nodeID: string };
type ById<T extends Named> = ReadonlyMap<string, T>;

/** A page never changes: a pod that says something else gives another one. */
function indexOnce<P extends object, T extends Named>(list: (page: P) => readonly T[]): (page: P) => ById<T> {
  const known = new WeakMap<P, ById<T>>();
  return (page) => {
    const index = known.get(page) ?? new Map(list(page).map((one) => [one.nodeID, one]));
    known.set(page, index);
    return index;
  };
}

export const peersById = indexOnce(({ peers }: AdminPeers) => peers);
export const discoveriesById = indexOnce(({ discoveries }: AdminDiscoveries) => discoveries);

/** Node ids of which the two pages say different things. */
export function changedPeers(now: AdminPeers | undefined, before: AdminPeers | undefined): readonly string[] {
  const [new_, old] = [now, before].map((page) => (page === undefined ? new Map() : peersById(page))) as [
    ById<AdminPeers["peers"][number]>,
    ById<AdminPeers["peers"][number]>,
  ];
  const ids = new Set([...new_.keys(), ...old.keys()]);
  return [...ids].filter((id) => JSON.stringify(new_.get(id)) !== JSON.stringify(old.get(id)));
}
