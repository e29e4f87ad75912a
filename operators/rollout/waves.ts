import { createHash } from 'node:crypto';
import type { rolloutWave } from '#api/rollout-wave.ts';
import { matches } from '#api/selector.ts';
import type { z } from 'zod';
import { shareOf } from './share.ts';
import { spanMs } from './span.ts';

/** The wave of the nodes that no declared wave takes. */
export const REST = 'rest';

/** A wave as a policy declares it. */
export type DeclaredWave = z.output<typeof rolloutWave>;

/** A node as far as waves are dealt by it. */
export interface Member {
  name: string;
  labels: Record<string, string>;
}

export interface Wave {
  name: string;
  /** How long the finished wave is watched. */
  soakMs: number;
  nodes: readonly string[];
  /** What the wave takes besides nodes, known by number only. */
  others?: Others | undefined;
}

/** Machines outside the cluster, as far as a wave is judged from them. */
export interface Others {
  total: number;
  /** Of these, those that came to an end. */
  done: number;
  /** Of these, those that failed. */
  failed: number;
  /** The wave takes machines whose place in the order is not after this. */
  upTo?: string | undefined;
}

/** Nodes and others of a wave. */
export function sizeOf({ nodes, others }: Wave): number {
  return nodes.length + (others?.total ?? 0);
}

/**
 * Nodes in the order in which a rollout takes them. The salt (whose rollout, of what) makes each rollout begin with
 * other nodes; within one rollout the order is the same for whoever computes it, and a node that joins or
 * leaves shifts no other pair.
 */
export function inRolloutOrder<M extends Member>(nodes: readonly M[], salt: string): M[] {
  const keyed = nodes.map((node) => ({ node, key: orderKey(salt, node.name) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ node }) => node);
}

/**
 * Deals `ordered` nodes out to the waves. A percentage is of all nodes that the wave's selector matches,
 * whether or not an earlier wave took them; the wave takes that many of those still free. What is left over
 * makes the wave `rest`, which is always there and always last.
 */
export function dealWaves(waves: readonly DeclaredWave[], ordered: readonly Member[]): Wave[] {
  const taken = new Set<string>();
  const dealt = waves.map(({ name, size, nodeSelector = {}, soak }) => {
    const matching = ordered.filter(({ labels }) => matches(nodeSelector, labels));
    const free = matching.filter((node) => !taken.has(node.name));
    const nodes = free.slice(0, shareOf(size, matching.length, 'up')).map((node) => node.name);
    for (const node of nodes) taken.add(node);
    return { name, soakMs: spanMs(soak), nodes };
  });
  const rest = ordered.map(({ name }) => name).filter((name) => !taken.has(name));
  return [...dealt, { name: REST, soakMs: 0, nodes: rest }];
}

/** The place of a name in the order of a rollout, as text that compares. */
export function orderKey(salt: string, name: string): string {
  return createHash('sha1').update(`${salt}/${name}`).digest('hex');
}
