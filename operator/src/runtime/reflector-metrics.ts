/** Counters of the reflectors, by kind: those of several namespaces are counted together. */
import { Counter, Gauge, type Registry } from "prom-client";

/** What a reflector shows of itself whenever metrics are asked for. */
export interface WatchedReflector {
  readonly kind: string;
  /** Objects in its cache. */
  readonly size: () => number;
  /** Milliseconds since its last sign of life; `undefined` while none is to be expected. */
  readonly silentForMs: () => number | undefined;
}

export interface ReflectorCounters {
  list(): void;
  watch(): void;
  watchError(): void;
  relist(): void;
  bookmark(): void;
  decodeError(): void;
  missed(count: number): void;
}

/** Called once by each reflector: the series of its kind begin at zero. */
export type ReflectorMetrics = (reflector: WatchedReflector) => ReflectorCounters;

export const NO_REFLECTOR_METRICS: ReflectorMetrics = () => ({
  list: () => {},
  watch: () => {},
  watchError: () => {},
  relist: () => {},
  bookmark: () => {},
  decodeError: () => {},
  missed: () => {},
});

const COUNTED = {
  lists: "Complete lists asked for, streamed or paged",
  watches: "Watches started",
  watch_errors: "Watches or lists that ended with an error",
  relists: "Times the cache had to be filled again",
  bookmarks: "Bookmarks received",
  decode_errors: "Watches dropped because of a line that is no event",
} as const;

export function createReflectorMetrics(registry: Registry): ReflectorMetrics {
  const registers = [registry];
  const labelNames = ["kind"];
  const counter = (name: string, help: string) =>
    new Counter({ name: `archivestream_${name}_total`, help, labelNames, registers });
  const counted = (name: keyof typeof COUNTED) => counter(`reflector_${name}`, COUNTED[name]);
  const [lists, watches, watchErrors] = [counted("lists"), counted("watches"), counted("watch_errors")];
  const [relists, bookmarks, decodeErrors] = [counted("relists"), counted("bookmarks"), counted("decode_errors")];
  const missed = counter("cache_missed_events", "Differences that only a relist showed");
  const watch = shownByKind(registry);
  return (reflector) => {
    const { kind } = reflector;
    for (const one of [lists, watches, watchErrors, relists, bookmarks, decodeErrors, missed]) one.inc({ kind }, 0);
    watch(reflector);
    return {
      list: () => lists.inc({ kind }),
      watch: () => watches.inc({ kind }),
      watchError: () => watchErrors.inc({ kind }),
      relist: () => relists.inc({ kind }),
      bookmark: () => bookmarks.inc({ kind }),
      decodeError: () => decodeErrors.inc({ kind }),
      missed: (count) => missed.inc({ kind }, count),
    };
  };
}

/** Of a kind in several namespaces: all objects, and the longest silence, which a talking neighbour must not hide. */
function shownByKind(registry: Registry): (reflector: WatchedReflector) => void {
  const watched = new Map<string, WatchedReflector[]>();
  const shown = (name: string, help: string, of: (all: readonly WatchedReflector[]) => number | undefined) =>
    new Gauge({
      name: `archivestream_${name}`,
      help,
      labelNames: ["kind"],
      registers: [registry],
      collect() {
        this.reset();
        for (const [kind, all] of watched) {
          const value = of(all);
          if (value !== undefined) this.set({ kind }, value);
        }
      },
    });
  shown("cache_objects", "Objects in the cache", (all) => all.reduce((sum, { size }) => sum + size(), 0));
  shown("reflector_last_event_age_seconds", "Time since the last event, bookmark or answered watch", (all) => {
    const silences = all.flatMap(({ silentForMs }) => silentForMs() ?? []);
    return silences.length === 0 ? undefined : Math.max(...silences) / 1000;
  });
  return (reflector) => watched.set(reflector.kind, [...(watched.get(reflector.kind) ?? []), reflector]);
}
