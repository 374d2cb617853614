/** A parser with a fault behind six doors. Chance would have to change six bytes rightly at once; what opened a door is kept. */
import { type FuzzTarget, plainSeeds } from "../target.ts";
import { openDoors } from "./planted-doors.ts";

const DOORS = 6;

export const planted: FuzzTarget = {
  watched: /\/test\/fuzz\/targets\/planted-doors\.ts$/,
  seeds: () => plainSeeds(["closed"]),
  words: ["word"],
  maxCpuMs: 1_000,
  exercise: (bytes) => {
    if (openDoors(bytes) === DOORS) throw new Error("the planted fault");
  },
};
