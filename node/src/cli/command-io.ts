/** What a command line program is given instead of the process: where to write, and when to stop. */
export interface CommandIo {
  readonly stdout: CommandOutput;
  readonly stderr: CommandOutput;
  readonly signal: AbortSignal;
}

export interface CommandOutput {
  readonly isTTY?: boolean;
  write(text: string, done: (error?: Error | null) => void): boolean;
}

/** Resolves when the text is handed over, so that a slow reader slows the program down instead of filling memory. */
export async function print(output: CommandOutput, text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    output.write(text, (error) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}
