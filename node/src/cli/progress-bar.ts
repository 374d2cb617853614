/** A one-line progress bar for terminals; silent elsewhere. */
import type { CommandOutput } from "./command-io.ts";

const WIDTH = 30;

export interface ProgressBar {
  /** Draws at most once per percent. */
  update(bytes: number): void;
  /** Removes the bar from the screen. */
  clear(): void;
}

export function progressBar(output: CommandOutput, label: string, totalBytes: number): ProgressBar {
  let shown = -1;
  const draw = (text: string): void => void output.write(`\r\u001b[K${text}`, () => undefined);
  return {
    update(bytes) {
      const percent = totalBytes === 0 ? 100 : Math.floor((Math.min(bytes, totalBytes) / totalBytes) * 100);
      if (output.isTTY !== true || percent === shown) return;
      shown = percent;
      const filled = Math.round((percent / 100) * WIDTH);
      draw(`[${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}] ${percent} % ${label}`);
    },
    clear() {
      if (output.isTTY === true && shown !== -1) draw("");
    },
  };
}
