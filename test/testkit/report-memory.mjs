/** Preloaded by tests (`NODE_OPTIONS=--import=...`): a process says at its end how much memory it held at most. */
process.on("exit", () => {
  process.stderr.write(`${JSON.stringify({ maxRssBytes: process.resourceUsage().maxRSS * 1024 })}\n`);
});
