import type { NodeGroupSpec } from '#api/node-group.ts';
import { nodeGroupSpec } from '#api/node-group.ts';

/** What of a NodeGroup is handed on to its nodes. */
export type GroupPolicy = Pick<NodeGroupSpec, 'update' | 'health'>;

/** Either the group's spec with all defaults or, in a sentence, what must be mended in the object. */
export type GroupReading =
  { spec: NodeGroupSpec; invalid?: undefined } | { spec?: undefined; invalid: string };

export function readGroup(spec: unknown): GroupReading {
  const parsed = nodeGroupSpec.safeParse(spec);
  if (parsed.success) return { spec: parsed.data };
  const issue = parsed.error.issues[0];
  return { invalid: `spec.${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is not valid'}` };
}
