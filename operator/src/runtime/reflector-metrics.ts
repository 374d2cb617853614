/** Counters of the reflectors, by kind. */
import { Counter, Gauge, type Registry } from "prom-client";

export interface ReflectorMetrics {
  list(kind: string): void;
  watch(kind: string): void;
  watchError(kind: string): void;
  relist(kind: string): void;
  bookmark(kind: string): void;
  decodeError(kind: string): void;
  missed(kind: string, count: number): void;
  objects(kind: string, count: number): void;
  /** @param atMs - wall time, milliseconds */
  contact(kind: string, atMs: number): void;
}

export const NO_REFLECTOR_METRICS: ReflectorMetrics = {
  list: () => {},
  watch: () => {},
  watchError: () => {},
  relist: () => {},
  bookmark: () => {},
  decodeError: () => {},
  missed: () => {},
  objects: () => {},
  contact: () => {},
};

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
  const counter = (name: keyof typeof COUNTED) => {
    const made = new Counter({
      name: `archivestream_reflector_${name}_total`,
      help: COUNTED[name],
      labelNames,
      registers,
    });
    return (kind: string) => made.inc({ kind });
  };
  const contacts = new Map<string, number>();
  new Gauge({
    name: "archivestream_reflector_last_event_age_seconds",
    help: "Time since the last event, bookmark or answered watch",
    labelNames,
    registers,
    collect() {
      for (const [kind, atMs] of contacts) this.set({ kind }, Math.max(0, Date.now() - atMs) / 1000);
    },
  });
  const objects = new Gauge({
    name: "archivestream_cache_objects",
    help: "Objects in the cache",
    labelNames,
    registers,
  });
  const missed = new Counter({
    name: "archivestream_cache_missed_events_total",
    help: "Differences that only a relist showed",
    labelNames,
    registers,
  });
  return {
    list: counter("lists"),
    watch: counter("watches"),
    watchError: counter("watch_errors"),
    relist: counter("relists"),
    bookmark: counter("bookmarks"),
    decodeError: counter("decode_errors"),
    missed: (kind, count) => missed.inc({ kind }, count),
    objects: (kind, count) => objects.set({ kind }, count),
    contact: (kind, atMs) => void contacts.set(kind, atMs),
  };
}
