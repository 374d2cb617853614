/** Metrics of the volume that a node keeps its files on. */
import { statfs } from "node:fs/promises";
import { Gauge, type Registry } from "prom-client";

/**
 * Asks the file system at each scrape. `free` is what the node may still use; what the file system keeps for the superuser
 * counts as neither. A volume that cannot be asked shows its last values.
 *
 * @param reserveBytes - uploads stop when less than this is free
 */
export function createVolumeMetrics(registry: Registry, dataDir: string, reserveBytes: number): void {
  new Gauge({
    name: "archivestream_volume_bytes",
    help: "Bytes of the volume with the data folder, by state",
    labelNames: ["state"],
    registers: [registry],
    async collect() {
      const volume = await statfs(dataDir).catch(() => undefined);
      if (volume === undefined) return;
      this.set({ state: "free" }, volume.bavail * volume.bsize);
      this.set({ state: "used" }, (volume.blocks - volume.bfree) * volume.bsize);
    },
  });
  new Gauge({
    name: "archivestream_volume_reserve_bytes",
    help: "Uploads stop when fewer bytes than this are free",
    registers: [registry],
  }).set(reserveBytes);
}
