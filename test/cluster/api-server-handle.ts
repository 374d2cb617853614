/** What tests hold of an API server, whether it was started for them or is someone else's. */
import type { Credentials } from "./certificates.ts";

export interface ApiServer {
  readonly url: string;
  /** Of the administrator, who is in `system:masters`. */
  readonly kubeconfigPath: string;
  readonly caPem: string;
  readonly admin: Credentials;
  /** Present when `auditLog` was asked for and the server is ours. */
  readonly auditLogPath: string | undefined;
  /** Makes a user by client certificate, without rights until RBAC gives some; returns the path of its kubeconfig. */
  userKubeconfig(name: string, groups: readonly string[]): Promise<string>;
  /** Makes the API server hang and go on, as a machine out of memory would. Ours only. */
  pause(): void;
  resume(): void;
  /** Ends one program as a crash would; its data stays. Ours only. */
  kill(program: CrashingProgram): Promise<void>;
  /** Starts a killed program with its data, and waits until the API server is ready. Ours only. */
  startAgain(program: CrashingProgram, signal: AbortSignal): Promise<void>;
  /** Ends the processes and removes their data; safe to repeat. Someone else's cluster is left as it is. */
  stop(): Promise<void>;
}

export type CrashingProgram = "etcd" | "kube-apiserver" | "kube-controller-manager";
