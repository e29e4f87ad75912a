import type { NodeState } from '#api/kinds.ts';
import { nodeStateSpec } from '#api/node-state.ts';
import type { NodeStateSpec } from '#api/node-state.ts';
import type { Failure } from '../record/record.ts';

/** A spec, or why it is none that this agent can act on. */
export interface SpecRead {
  spec?: NodeStateSpec | undefined;
  problem?: Failure | undefined;
}

/**
 * The spec of a NodeState. The API server checks it too, but perhaps by a schema that is newer than this agent: a
 * kind of health check that the agent does not know must not count as one that it does.
 */
export function readSpec({ spec }: NodeState): SpecRead {
  const { data, error } = nodeStateSpec.safeParse(spec);
  if (error === undefined) return { spec: data };
  const [issue] = error.issues;
  const what = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong'}`.slice(0, 500);
  const message = `the agent cannot act on the spec of its NodeState (${what}); use the agent of the same version as the operators`;
  return { problem: { code: 'Internal', message } };
}

/** Which version a NodeState asks for, even one whose spec cannot be read as a whole. */
export function wishIn({ spec }: NodeState): { version: string; attempt: number } | undefined {
  const update = nodeStateSpec.shape.update.unwrap().shape;
  const version = update.version.safeParse(spec?.update?.version).data;
  if (version === undefined) return undefined;
  return { version, attempt: update.attempt.safeParse(spec.update?.attempt).data ?? 1 };
}
