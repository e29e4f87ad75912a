import type { Grant } from '#api/node-state.ts';
import type { AgentRecord } from '../record/record.ts';
import { isTarget } from './target.ts';
import type { Facts } from './facts.ts';

/** Why a grant is not one for this machine, now. */
export interface Refusal {
  reason:
    | 'OtherNode'
    | 'OtherBoot'
    | 'DrainOnly'
    | 'Expired'
    | 'Spent'
    | 'NothingStaged'
    | 'Withdrawn'
    | 'NotVerified';
  message: string;
}

export interface GrantInput extends Pick<Facts, 'now' | 'host' | 'spec' | 'work'> {
  grant: Grant;
  record: AgentRecord;
  /** UID of the agent's own Node, read live. */
  nodeUID: string;
}

type Check = (input: GrantInput) => Refusal | undefined;

const refuse = (reason: Refusal['reason'], message: string): Refusal => ({ reason, message });

/** What the agent can judge without asking anybody. */
const LOCAL: Check[] = [
  ({ grant, host }) =>
    grant.bootID === host.bootID
      ? undefined
      : refuse('OtherBoot', `it is for boot ${grant.bootID}, this is ${host.bootID}`),
  ({ grant }) => (grant.mode === 'reboot' ? undefined : refuse('DrainOnly', 'it allows no reboot')),
  ({ grant, record }) =>
    record.spent.includes(grant.id) ? refuse('Spent', `grant ${grant.id} was used before`) : undefined,
  ({ grant, now }) =>
    now < Date.parse(grant.notAfter) ? undefined : refuse('Expired', `it ended at ${grant.notAfter}`),
  ({ record }) =>
    record.staged === undefined ? refuse('NothingStaged', 'no slot is ready to boot') : undefined,
  ({ record, spec }) =>
    record.staged !== undefined && isTarget(record.staged, spec?.update)
      ? undefined
      : refuse('Withdrawn', 'what is staged is no longer asked for'),
  ({ record, work }) =>
    work.verified === record.staged?.digest
      ? undefined
      : refuse('NotVerified', 'the staged slot is not read back yet'),
];

const LIVE: Check[] = [
  ({ grant, nodeUID }) =>
    grant.nodeUID === nodeUID
      ? undefined
      : refuse('OtherNode', `it is for the Node with UID ${grant.nodeUID}, ours is ${nodeUID}`),
];

/** Whether the agent may reboot on this grant; undefined: it may. */
export function checkGrant(input: GrantInput): Refusal | undefined {
  return first([...LOCAL, ...LIVE], input);
}

/** The part of `checkGrant` that needs no read: whether it is worth one. */
export function checkGrantLocally(input: Omit<GrantInput, 'nodeUID'>): Refusal | undefined {
  return first(LOCAL, { ...input, nodeUID: '' });
}

function first(checks: Check[], input: GrantInput): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(input);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
