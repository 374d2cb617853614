/** Which parts of the reader ran, by the engine's own precise coverage: an input that reaches a new part is kept. */
import { type Profiler, Session } from "node:inspector";

const WATCHED = /\/node\/src\/(?:warc|cdx)\//;

export interface CoverageProbe {
  /** True when code ran since the last call that had not run before, or a loop ran far more often. */
  foundNew(): boolean;
  readonly seen: number;
  close(): void;
}

/** Watches the thread it is called on. */
export function startCoverage(): CoverageProbe {
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
      for (const script of takeCoverage(session)) addRanges(script, seen);
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
  return result.filter((script) => WATCHED.test(script.url));
}

function addRanges(script: Profiler.ScriptCoverage, seen: Set<string>): void {
  for (const { ranges } of script.functions) {
    for (const range of ranges) {
      if (range.count === 0) continue;
      const often = Math.min(16, Math.floor(Math.log2(range.count)));
      seen.add(`${script.scriptId}:${range.startOffset}:${range.endOffset}:${often}`);
    }
  }
}
