/** Runs independent steps at the same time without leaving one of them behind. */

/**
 * Waits for all of them, whatever fails: a reconcile that has ended must not go on writing.
 *
 * @throws what the first of them in the list threw
 */
export async function together<T extends readonly unknown[]>(
  steps: readonly [...{ readonly [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  const ended = await Promise.allSettled<unknown>(steps as readonly Promise<unknown>[]);
  for (const step of ended) if (step.status === "rejected") throw step.reason;
  return ended.map((step) => (step as PromiseFulfilledResult<unknown>).value) as unknown as T;
}
