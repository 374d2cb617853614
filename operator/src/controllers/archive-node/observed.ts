/** The children of one ArchiveNode as the cluster has them, in the few fields that decisions are made from. */
import type { NodeFacts } from "../facts.ts";

/** What a volume claim is made from. */
export interface ClaimTemplate {
  readonly size: string;
  /** Absent: the cluster's default class, whichever that is when the claim is made. */
  readonly className: string | undefined;
  readonly accessMode: string;
}

export interface ObservedStatefulSet {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly terminating: boolean;
  /** As stored; it never changes. */
  readonly claim: ClaimTemplate;
  /** The controller of StatefulSets has seen the latest spec. */
  readonly upToDate: boolean;
  readonly replicas: number;
  readonly readyReplicas: number;
  readonly updatedReplicas: number;
}

export interface ObservedClaim {
  readonly name: string;
  readonly bound: boolean;
  /** It was bound, and its volume is gone. */
  readonly lost: boolean;
  readonly requested: string;
  /** The class it was given; absent until there is a default one. */
  readonly className: string | undefined;
  readonly accessModes: readonly string[];
  /** Absent until bound. */
  readonly capacity: string | undefined;
}

export interface LeavingClaim {
  readonly name: string;
  /** PersistentVolume; absent when it was never bound. */
  readonly volume: string | undefined;
}

export interface ObservedPod {
  readonly name: string;
  readonly uid: string;
  readonly ready: boolean;
  /** RFC 3339. */
  readonly createdAt: string;
  /** A container of it has ended before. */
  readonly restarted: boolean;
  /** What `kubectl describe` would show first: why a container waits, or why the pod is not scheduled. */
  readonly trouble: string;
}

/** A pod that is being deleted. */
export interface LeavingPod {
  readonly name: string;
  /** RFC 3339: when its time to end is over. */
  readonly endsBefore: string;
  readonly finalizers: readonly string[];
  /** Absent when it was never scheduled. */
  readonly machine: string | undefined;
}

export interface ObservedState {
  readonly statefulSet: ObservedStatefulSet | undefined;
  /** Without those being deleted. */
  readonly claims: readonly ObservedClaim[];
  /** Those being deleted, which a pod that uses them puts off. */
  readonly leavingClaims: readonly LeavingClaim[];
  /** Without those being deleted. */
  readonly pods: readonly ObservedPod[];
  readonly leavingPods: readonly LeavingPod[];
  /** Why the controller of StatefulSets could not make a pod, in its words; only asked for while pods are missing. */
  readonly refusal?: string | undefined;
  readonly facts: NodeFacts;
  /** The Secret with both halves of the recovery key has not been taken out yet. */
  readonly recoveryKeyInCluster: boolean;
  /** Kinds that this cluster has only sometimes. */
  readonly serviceMonitorExists: boolean;
}
