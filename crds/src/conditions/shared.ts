/** Reasons that conditions of several kinds share. */

/** What a reason means, and the next step for whoever reads it. */
type Reasons = Readonly<Record<string, string>>;

export interface ConditionDefinition {
  readonly meaning: string;
  readonly reasons: Reasons;
}

export const READY_PENDING = "The operator has seen the object and not finished with it yet. Wait.";

export const accepted = {
  Accepted: "The operator understood every field and acts on it. Nothing to do.",
  NotImplementedFields:
    "The object is accepted, but this release does nothing yet for the fields named in the message. Remove them, or leave them for a later release.",
  NotImplementedValue:
    "This release cannot do what the message names, and does nothing rather than something weaker. Use another value, or leave it for a later release.",
  InvalidSpec: "The spec cannot work although the schema allows it; the message names the field. Change that field.",
} as const;

export const reconciling = {
  Progressing: "Work is under way; the message says what is awaited.",
} as const;

export const stalled = {
  InvalidSpec: "Retrying cannot help. Change the field that the message names.",
  Forbidden:
    "The API server refused the operator: RBAC, quota or an admission policy. Grant what the message names; it is tried again after at most 30 minutes.",
} as const;

export const suspended = {
  SuspendedByUser: "`spec.suspend` is true: everything stays as it is. Set it to false to go on.",
} as const;
