import type { RebootReason, Verdict } from '#api/reasons.ts';
import type { Holder } from '#api/reboot-lock.ts';
import { drainIsOver, inFlight, openGrant, type NodeFacts } from './facts.ts';

/** How long a node that was granted a reboot may stay away before it is named as not back. It keeps its place. */
export const NOT_BACK_AFTER_MS = 15 * 60_000;
/** Of that, what a machine may take to come up; a longer health gate is given its whole time besides. */
const BOOT_MS = 5 * 60_000;

type Waiting = Verdict<RebootReason>;

/** Whether the place proves to be free: the release, or what is still missing. */
export type Evidence = { free: string } | { missing: Waiting };

export interface Circumstances {
  now: number;
  minReadyMs: number;
  /** Why the turn is to be called off if it has not gone past the point of no return; undefined: it goes on. */
  refused?: Waiting | undefined;
}

/**
 * Invariant 4. A place is free when its machine is gone, when the reboot happened and the node serves again, or
 * when it was called off before the point of no return and nothing of ours is left. Time alone frees nothing.
 */
export function evidence(holder: Holder, node: NodeFacts, circumstances: Circumstances): Evidence {
  if (node.uid !== holder.uid) return { free: 'its Node was replaced' };
  const missing = rebooted(holder, node)
    ? afterReboot(holder, node, circumstances)
    : calledOff(holder, node, circumstances);
  return missing === undefined ? { free: rebooted(holder, node) ? 'back' : 'called off' } : { missing };
}

/** Another boot than the one that the place was taken for has been seen by the kubelet. */
export function rebooted(holder: Holder, node: NodeFacts): boolean {
  return node.bootID !== '' && node.bootID !== holder.bootID;
}

function afterReboot(holder: Holder, node: NodeFacts, circumstances: Circumstances): Waiting | undefined {
  return back(holder, node, circumstances) ?? handsOff(node) ?? notJudged(node);
}

function calledOff(holder: Holder, node: NodeFacts, { now, refused }: Circumstances): Waiting | undefined {
  if (inFlight(node)) return goingDown(holder, node, now);
  if (refused === undefined) return { reason: 'Draining', message: 'the turn goes on' };
  return handsOff(node) ?? notJudged(node);
}

/** Past the point of no return and still in its old boot, as far as its kubelet has said. */
export function goingDown(holder: Holder, node: NodeFacts, now: number): Waiting {
  if (openGrant(node)?.mode === 'drain')
    return away(holder, node, now, 'has accepted its grant and changes its configuration', 'Applying');
  return away(holder, node, now, 'has accepted its grant and not rebooted');
}

/** What is missing until a rebooted or drained node serves again and our cordon may be lifted; undefined: nothing. */
export function back(
  holder: Holder,
  node: NodeFacts,
  { now, minReadyMs }: Circumstances,
): Waiting | undefined {
  const drained = drainIsOver(node);
  const ended = drained ? 'has changed its configuration' : 'has rebooted';
  if (node.ready !== 'Ready')
    return away(holder, node, now, `${ended} and is not Ready`, drained ? 'Applying' : 'Rebooting');
  if (node.state?.bootID !== node.bootID)
    return away(holder, node, now, 'is Ready; its agent has not reported this boot');
  if (inFlight(node)) return phase(node, holder, now);
  if (node.state.configuring)
    return away(holder, node, now, `${ended}; its configuration is not confirmed yet`, 'Applying');
  if (node.readyForMs >= minReadyMs) return undefined;
  return { reason: 'Uncordoning', message: `back; must be Ready for ${minReadyMs / 1000} s` };
}

function phase(node: NodeFacts, holder: Holder, now: number): Waiting {
  if (node.state?.phase !== 'Verifying')
    return away(holder, node, now, 'is up; its agent has not looked at the boot');
  return away(holder, node, now, 'is up; its health gate runs', 'Verifying');
}

/** Past the deadline it is called NotBack, so that a person looks; the place stays taken. */
function away(
  holder: Holder,
  node: NodeFacts,
  now: number,
  what: string,
  reason: RebootReason = 'Rebooting',
): Waiting {
  const since = leftBy(holder, node);
  const gateMs = rebooted(holder, node) ? (node.state?.offered.gateMs ?? 0) : 0;
  if (now - since <= Math.max(NOT_BACK_AFTER_MS, BOOT_MS + gateMs))
    return { reason, message: `the node ${what}` };
  const message = `the node ${what}, ${new Date(since).toISOString()} at the latest; look at the machine`;
  return { reason: 'NotBack', message };
}

/** When the reboot must have begun: by the end of its grant, however long the drain before it took. */
function leftBy({ since, bootID }: Holder, { uid, state }: NodeFacts): number {
  const grant = state?.grant;
  const own = grant?.nodeUID === uid && grant.bootID === bootID;
  return Math.max(Date.parse(since), own ? Date.parse(grant.notAfter) : 0);
}

function handsOff(node: NodeFacts): Waiting | undefined {
  if (node.mark !== undefined) return { reason: 'Uncordoning', message: 'our cordon is to be lifted' };
  if (openGrant(node) !== undefined)
    return { reason: 'Uncordoning', message: 'its grant is to be withdrawn' };
  return undefined;
}

/** A failed version is judged by the update operator before any further node may reboot into it. */
export function notJudged(node: NodeFacts): Waiting | undefined {
  const { state } = node;
  if (state === undefined || !['RolledBack', 'Failed'].includes(state.phase)) return undefined;
  const noted = state.offered.version !== state.version || state.offered.attempt > state.attempt;
  if (noted) return undefined;
  const what = `${state.phase} with ${state.version ?? 'an unknown version'}`;
  return { reason: 'Uncordoning', message: `${what}; operators/update has not taken note yet` };
}
