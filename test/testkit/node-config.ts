/** A node with a configuration file and an admin port, as in a pod: folders, keys, and the operator's way in. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ADMIN_CLIENT_NAME, ADMIN_PATHS, type AdminStatus } from "../../node/src/contract/admin-api.ts";
import { DEFAULT_LIMITS, type NodeConfig } from "../../node/src/contract/config-schema.ts";
import { ensureLocalIdentity } from "../../node/src/identity/local-identity.ts";
import { testAuthority } from "./certificate-authority.ts";
import { freePort } from "./free-port.ts";
import { nodeClient } from "./node-client.ts";
import { tempDir } from "./temp-dir.ts";

const SERVER_NAME = "archive-0.archive.default.svc";

export interface ConfiguredNode extends AsyncDisposable {
  /** For `--config`. */
  readonly configFile: string;
  /** What the admin port says; the node must run. */
  readonly status: () => Promise<AdminStatus>;
}

export interface ConfiguredNodeOptions {
  readonly dataDir: string;
  readonly limits?: Partial<NodeConfig["limits"]>;
  readonly collections?: NodeConfig["collections"];
}

export async function configuredNode(options: ConfiguredNodeOptions): Promise<ConfiguredNode> {
  const folder = await tempDir("config");
  const at = (name: string): string => join(folder.path, name);
  for (const name of ["access", "admin", "federation", "trust"]) await mkdir(at(name));
  await ensureLocalIdentity({ keys: at("keys"), accessTokenFile: join(at("access"), "token") }, new Date());
  const authority = await testAuthority();
  const server = await authority.issue({ commonName: SERVER_NAME, usage: "serverAuth" });
  await writeFile(join(at("admin"), "tls.key"), server.key);
  await writeFile(join(at("admin"), "tls.crt"), server.cert);
  await writeFile(join(at("admin"), "ca.crt"), authority.ca);
  const admin = `127.0.0.1:${await freePort()}`;
  const config: NodeConfig = {
    schemaVersion: 1,
    name: "archive",
    dataDir: options.dataDir,
    capabilities: ["store", "search", "index"],
    collections: options.collections ?? [{ name: "default", access: "Public", embargoSeconds: 0, exclude: [] }],
    listen: { federation: "127.0.0.1:8443", admin },
    files: {
      ...{ keys: at("keys"), access: at("access"), trust: at("trust"), federation: at("federation") },
      adminTls: at("admin"),
    },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    logLevel: "info",
  };
  await writeFile(at("config.json"), JSON.stringify(config));
  const pair = await authority.issue({ commonName: ADMIN_CLIENT_NAME, usage: "clientAuth" });
  const client = nodeClient(`https://${admin}`, { ca: authority.ca, servername: SERVER_NAME, ...pair });
  return {
    configFile: at("config.json"),
    status: async () => (await client.call(ADMIN_PATHS.status)).json as AdminStatus,
    [Symbol.asyncDispose]: async () => {
      await client[Symbol.asyncDispose]();
      await folder.remove();
    },
  };
}
