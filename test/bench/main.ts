/** `npm run bench -- NAME...`: runs the named benches one after the other; without a name, lists them. */
import { arch, cpus, release, totalmem, type } from "node:os";

const BENCHES: Readonly<Record<string, () => Promise<{ readonly run: () => Promise<void> }>>> = {
  search: () => import("./search.ts"),
  operator: () => import("./operator.ts"),
  warc: () => import("./warc.ts"),
  ingest: () => import("./ingest.ts"),
  cdx: () => import("./cdx.ts"),
  federation: () => import("./federation.ts"),
  node: () => import("./node.ts"),
};

function describeMachine(): string {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${cpus().length} × ${cpu?.model ?? "unknown processor"}, ${memory}, ${type()} ${release()} ${arch()}, Node ${process.version}`;
}

const names = process.argv.slice(2);
const unknown = names.filter((name) => !Object.hasOwn(BENCHES, name));
if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no such bench: ${unknown.join(", ")}`);
  console.error(`usage: npm run bench -- NAME...\nbenches: ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}
console.log(describeMachine());
for (const name of names) {
  console.log(`\n## ${name}\n`);
  const bench = await BENCHES[name]?.();
  await bench?.run();
}
