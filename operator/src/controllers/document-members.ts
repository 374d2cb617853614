/** Since which sequence a document holds each of its members as they are now. Pure. */

/** `sequence` 0: the document had it when this process began. */
export interface Member {
  readonly content: string;
  readonly sequence: number;
}

export type Members = ReadonlyMap<string, Member>;

export interface MembersInput {
  /** By key; the content is compared as JSON. */
  readonly members: readonly (readonly [key: string, content: object])[];
  /** Of the document that this process issued before. */
  readonly before: Members | undefined;
  readonly sequence: number;
  /** The document has this sequence since now, not since before this process began. */
  readonly isNew: boolean;
}

export function membersSince({ members, before, sequence, isNew }: MembersInput): Members {
  return new Map(
    members.map(([key, value]) => {
      const content = JSON.stringify(value);
      const known = before?.get(key);
      if (known?.content === content) return [key, known];
      return [key, { content, sequence: before !== undefined || isNew ? sequence : 0 }];
    }),
  );
}
