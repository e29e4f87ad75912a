import type { NodeState } from '#api/kinds.ts';
import { isKubeError } from '#runtime/client/error.ts';
import type { AgentRecord } from '../record/record.ts';
import { withAccepted, withArming } from '../record/transitions.ts';
import { statusOf } from '../report/status.ts';
import { instant, save } from './context.ts';
import type { Context, Do } from './context.ts';
import { checkGrant } from './grant.ts';
import type { Refusal } from './grant.ts';
import { readSpec } from './read-spec.ts';

/**
 * Takes the grant, judged by live reads. The record comes first, so that a machine that cannot write it never
 * says yes; then the write that excludes a revocation, and is the point of no return; then the record of that.
 */
export async function accept({ grant, staged, gate }: Do<'accept'>, context: Context): Promise<AgentRecord> {
  const { parts, facts, signal, work } = context;
  const [node, object] = await Promise.all([parts.api.node(signal), parts.api.nodeState(signal)]);
  const refusal = judge(grant.id, node.metadata.uid ?? '', object, context);
  if (refusal !== undefined) {
    parts.log.warn('grant ignored', { grant: grant.id, ...refusal });
    work.refusedGrant = grant.id;
    return facts.record;
  }
  const { host } = facts;
  const input = { staged, grant, from: host.os.version, bootID: host.bootID, gate, now: instant(context) };
  const { record: arming, armed } = withArming(facts.record, input);
  await save(context, arming);
  const accepted = withAccepted(arming, armed);
  return save(context, (await announce(accepted, object, context)) ? accepted : facts.record);
}

function judge(
  grantID: string,
  nodeUID: string,
  object: NodeState,
  { parts, facts }: Context,
): Refusal | { reason: 'Revoked'; message: string } | undefined {
  const { spec } = readSpec(object);
  const grant = spec?.reboot?.grant;
  if (grant?.id !== grantID) return { reason: 'Revoked', message: 'it is no longer in the NodeState' };
  return checkGrant({ ...facts, now: parts.now(), spec, grant, nodeUID });
}

/** Writes phase Rebooting over the object as it was read; false if somebody was faster: look again. */
async function announce(record: AgentRecord, object: NodeState, { parts, facts }: Context): Promise<boolean> {
  const { agentVersion, startedAt, reporter, log } = parts;
  try {
    await reporter.commit(
      statusOf({ ...facts, record, reported: object.status, agentVersion, startedAt }),
      object,
    );
    return true;
  } catch (error) {
    if (!isKubeError(error, 'Conflict')) throw error;
    log.info('the NodeState changed while the grant was being accepted: looking again');
    return false;
  }
}
