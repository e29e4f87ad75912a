import type { NodeStateStatus } from '#api/node-state.ts';
import { isKubeError } from '#runtime/client/error.ts';
import { answersRequest, checkDrainGrant } from '../config/life/grant.ts';
import { statusOf } from '../report/status.ts';
import type { Facts } from './facts.ts';
import type { Parts } from './parts.ts';
import { readSpec } from './read-spec.ts';

type Reboot = NonNullable<NodeStateStatus['reboot']>;

export interface AcceptInput {
  parts: Parts;
  facts: Facts;
  signal: AbortSignal;
}

/**
 * Takes a grant for the configuration, judged by live reads, by one write over the object as it was read: until
 * then the operator can take it back, after it nobody. Gives the request that was answered; undefined: look again.
 * A grant that was taken and not written down is taken again by the same write.
 */
export async function acceptForConfig(grantID: string, input: AcceptInput): Promise<Reboot | undefined> {
  const { parts, facts, signal } = input;
  const [node, object] = await Promise.all([parts.api.node(signal), parts.api.nodeState(signal)]);
  const grant = readSpec(object).spec?.reboot?.grant;
  const status = statusOf({ ...facts, reported: object.status, ...from(parts) });
  const { reboot } = status;
  const request = facts.config?.asks;
  const isOurs = grant?.id === grantID && grant.nodeUID === node.metadata.uid;
  if (!isOurs || reboot === undefined || request === undefined) return undefined;
  const { kind } = request;
  const asked = { bootID: facts.host.bootID, now: parts.now(), request: { kind } };
  const refused = checkDrainGrant(asked, grant);
  if (refused !== undefined || !answersRequest(grant, reboot.since)) return undefined;
  try {
    await parts.reporter.commit({ ...status, reboot: { ...reboot, accepted: grantID } }, object);
    return reboot;
  } catch (error) {
    if (!isKubeError(error, 'Conflict')) throw error;
    return undefined;
  }
}

function from({ agentVersion, startedAt }: Parts): Pick<Parts, 'agentVersion' | 'startedAt'> {
  return { agentVersion, startedAt };
}
