/** Which parts of the watched code ran, by the engine's own precise coverage: an input that reaches a new part is kept. */
import { type Profiler, Session } from "node:inspector";

export interface CoverageProbe {
  /** True when code ran since the last call that had not run before, or a loop ran far more often. */
  foundNew(): boolean;
  readonly seen: number;
  close(): void;
}

/** Watches the thread it is called on. @param watched - addresses of scripts */
export function startCoverage(watched: RegExp): CoverageProbe {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  const seen = new Set<string>();
  return {
    get seen() {
      return seen.size;
    },
    foundNew() {
      const before = seen.size;
      for (const script of takeCoverage(session)) if (watched.test(script.url)) addRanges(script, seen);
      return seen.size > before;
    },
    close: () => session.disconnect(),
  };
}

/** Calls on the own thread answer before they return. */
function takeCoverage(session: Session): Profiler.ScriptCoverage[] {
  let result: Profiler.ScriptCoverage[] = [];
  session.post("Profiler.takePreciseCoverage", (error, answer) => {
    if (error !== null) throw error;
    result = answer.result;
  });
  return result;
}

/** A part that did not run tells as much as one that did: the engine names no part that ran as often as what it is in. */
function addRanges(script: Profiler.ScriptCoverage, seen: Set<string>): void {
  for (const { ranges } of script.functions) {
    if (ranges[0]?.count === 0) continue;
    for (const { startOffset, endOffset, count } of ranges) {
      const often = count === 0 ? "never" : Math.min(16, Math.floor(Math.log2(count)));
      seen.add(`${script.scriptId}:${startOffset}:${endOffset}:${often}`);
    }
  }
}
