/** Bench `federation`: what nodes ask of each other. Handshakes, one question to several archives, files from one to another. */
import { run as files } from "./federation/files.ts";
import { run as handshakes } from "./federation/handshakes.ts";
import { run as searches } from "./federation/searches.ts";

export async function run(): Promise<void> {
  for (const part of [handshakes, searches, files]) {
    await part();
    console.log();
  }
}
