/** Where a policy of higher precedence covers the same (node, peer, collection). Pure. */
import type { ResolvedPolicy } from "../resolved-policies.ts";

type Collections = NonNullable<ResolvedPolicy["object"]["spec"]["collections"]>;

/** Some collection may be meant by both. */
export function overlap(one: ResolvedPolicy, other: ResolvedPolicy): boolean {
  const [a, b] = [one.object.spec.collections ?? {}, other.object.spec.collections ?? {}];
  const named = namesOf(a) ?? namesOf(b);
  // Neither names its collections: some that neither excludes is meant by both.
  return named === undefined || named.some((name) => covers(a, name) && covers(b, name));
}

function namesOf({ include }: Collections): readonly string[] | undefined {
  return include === undefined || include.length === 0 ? undefined : include;
}

function covers(collections: Collections, name: string): boolean {
  return (namesOf(collections)?.includes(name) ?? true) && !(collections.exclude?.includes(name) ?? false);
}
