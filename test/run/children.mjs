/**
 * The programs that an entry script has running. When the script is stopped (Ctrl-C, SIGTERM, a closed terminal, its
 * own deadline) they end with it, and with them all that they started. Node 20, no dependencies.
 */
import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** Programs that save something when they end get this long. */
const GRACE_MS = 15_000;
const LOOK_MS = 50;

const running = new Set();
let isManaged = false;
let isStopping = false;

/**
 * Like `spawn`. Under a script that called `endChildrenOnSignals`, the program leads a process group of its own: Ctrl-C then
 * reaches this script alone, which ends the whole group.
 */
export function startChild(program, args, options) {
  if (isStopping) throw new Error(`${program} is not started: this script is ending`);
  const child = spawn(program, args, { ...options, detached: isManaged });
  running.add(child);
  const forget = () => running.delete(child);
  child.once("exit", forget).once("error", forget);
  return child;
}

/** Sends a signal to a program and, where it leads a group, to all in that. */
export function signalChild(child, signal) {
  try {
    if (isManaged) process.kill(-child.pid, signal);
    else child.kill(signal);
  } catch {
    // it ended in this moment
  }
}

/** True once `endChildren` was called: what fails now fails because of it. */
export const areChildrenEnding = () => isStopping;

/** Whether the program, or another of the group that it led, still runs. */
function isAlive(child) {
  try {
    process.kill(isManaged ? -child.pid : child.pid, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Ends every program with its group: asks, and after `GRACE_MS` does not ask. None is started after it. A group can outlive its
 * leader: debootstrap still unmounts what it had mounted.
 */
export async function endChildren() {
  isStopping = true;
  const ending = [...running];
  for (const child of ending) signalChild(child, "SIGTERM");
  const deadline = performance.now() + GRACE_MS;
  while (ending.some(isAlive)) {
    if (performance.now() > deadline) {
      for (const child of ending) signalChild(child, "SIGKILL");
      return;
    }
    await delay(LOOK_MS);
  }
}

/** From now on a signal ends all programs, then this process, by `leave(signal)`; a second one does not wait for them. */
export function endChildrenOnSignals(leave) {
  isManaged = true;
  let isFirst = true;
  const onSignal = (signal) => {
    if (isFirst) endChildren().then(() => leave(signal));
    else for (const child of running) signalChild(child, "SIGKILL");
    isFirst = false;
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, onSignal);
}
