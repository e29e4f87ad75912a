import { randomUUID } from 'node:crypto';
import type { Grant } from '#api/node-state.ts';
import type { NodeFacts } from '../lock/facts.ts';

/**
 * A grant for the boot that runs and for the request that stands. Its id is `<the request>/<random>`, where a
 * request is known by when it began, so that a grant shows which request it answers, whatever process reads it.
 */
export function grantFor(node: NodeFacts, notAfter: number): Grant {
  return {
    id: `${node.state?.since ?? 0}/${randomUUID()}`,
    nodeUID: node.uid,
    bootID: node.bootID,
    notAfter: new Date(notAfter).toISOString(),
    mode: node.state?.kind === 'Drain' ? 'drain' : 'reboot',
  };
}
