/** Wires storage, indexes, ingest and search into the services the HTTP edge asks for. */
import type { Registry } from "prom-client";
import type { NodeConfig } from "./contract/config-schema.ts";
import type { NodeState } from "./http/node-phase.ts";
import { HttpProblem } from "./http/problem.ts";
import type { ArchiveServices } from "./http/services.ts";
import type { Component } from "./lifecycle/component.ts";
import type { Logger } from "./observability/logging.ts";

export interface ArchiveParts {
  readonly config: NodeConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  readonly state: NodeState;
}

/** The archive as one component: started before the listeners, stopped after them. */
export interface Archive extends Component {
  readonly services: ArchiveServices;
}

export function openArchive(_parts: ArchiveParts): Archive {
  const absent = (): never => {
    throw new HttpProblem("storage-unavailable", "this build of the node has no storage engine");
  };
  return {
    name: "archive",
    start: async () => {},
    stop: async () => {},
    services: {
      uploads: { upload: absent },
      blobs: { blob: absent, blobs: absent },
      contents: { read: absent },
      cdx: { query: absent },
      captures: { nearest: absent },
      search: { search: absent },
    },
  };
}
