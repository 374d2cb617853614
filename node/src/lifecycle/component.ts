/** A part of the node with a start and a stop. */
export interface Component {
  /** For logs and for the message when it does not start. */
  readonly name: string;
  /** Resolves when the component is usable; rejects to stop the whole start. */
  start(signal: AbortSignal): Promise<void>;
  /** Finishes what runs until `signal` aborts, then ends anyway. Called once, only after a start that resolved. */
  stop(signal: AbortSignal): Promise<void>;
}
