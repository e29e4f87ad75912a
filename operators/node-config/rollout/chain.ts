import type { ConfigReason, Verdict } from '#api/reasons.ts';
import type { NodeFacts } from './facts.ts';
import { hasBegun, hasFailed, isInForce, isTold, planOf } from './facts.ts';
import type { Rollout } from './rollout.ts';

/**
 * What is to be done about one node:
 * * `apply` it may apply what it should have;
 * * `plan` it is given what it should have, and only says what that would change;
 * * `keep` what was asked of it stays as it is;
 * * `clear` it should have nothing: what careen put there is removed.
 */
export interface Assignment {
  action: 'apply' | 'plan' | 'keep' | 'clear';
  verdict: Verdict<ConfigReason>;
}

/** A node, and how the rollouts of the NodeConfigs stand that differ on it: each must admit it. */
export interface Standing {
  node: NodeFacts;
  rollouts: readonly Rollout[];
}

type Policy = (standing: Standing) => Assignment | undefined;

/** The first that answers decides. Order is meaning: what cannot be undone first, then facts, then permission. */
const CHAIN: readonly Policy[] = [
  unwanted,
  obstructed,
  unsupported,
  arrived,
  begun,
  failed,
  halted,
  paused,
  unapproved,
  unheard,
  told,
  waiting,
];

/** Decides over one node as far as that can be done without looking at others; undefined: if there is room. */
export function decide(standing: Standing): Assignment | undefined {
  for (const policy of CHAIN) {
    const answer = policy(standing);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

function unwanted({ node: { target } }: Standing): Assignment | undefined {
  if (target.kind !== 'none') return undefined;
  return {
    action: 'clear',
    verdict: { reason: 'NoConfig', message: 'no NodeConfig selects this node any more' },
  };
}

function obstructed({ node: { target } }: Standing): Assignment | undefined {
  return target.kind === 'obstacle' ? { action: 'keep', verdict: target.verdict } : undefined;
}

function unsupported({ node: { status } }: Standing): Assignment | undefined {
  if (status?.unsupported === undefined) return undefined;
  return plan('Unsupported', `this host cannot be configured: ${status.unsupported}`);
}

function arrived({ node }: Standing): Assignment | undefined {
  if (!isInForce(node)) return undefined;
  return { action: 'apply', verdict: { reason: 'UpToDate', message: 'has what it should have' } };
}

function begun({ node }: Standing): Assignment | undefined {
  if (!hasBegun(node)) return undefined;
  if (!node.heard) return { action: 'keep', verdict: silence(node) };
  return offered('is changing itself');
}

function failed({ node }: Standing): Assignment | undefined {
  if (!hasFailed(node)) return undefined;
  const { phase, error } = node.status ?? {};
  const why = error === undefined ? '' : ` with ${error.code}`;
  const what = phase === 'Failed' ? 'failed here' : 'was undone here';
  return plan('ConfigFailed', `the change ${what}${why}; it is not tried again, another one is`);
}

function halted({ rollouts }: Standing): Assignment | undefined {
  for (const { config, status } of rollouts) {
    if (status?.halted === undefined) continue;
    return plan('Halted', `NodeConfig ${config.name} is halted: ${status.halted.reason}`);
  }
  return undefined;
}

function paused({ rollouts }: Standing): Assignment | undefined {
  const found = rollouts.find(({ config }) => config.spec.paused);
  return found === undefined ? undefined : plan('Paused', `NodeConfig ${found.config.name} is paused`);
}

/**
 * An approval is of what was read: a node whose plan nobody has seen yet waits. Before there is one the sentence is the
 * same whether the node has planned or not, so that it costs no write of its own.
 */
function unapproved({ node, rollouts }: Standing): Assignment | undefined {
  for (const { config, planned } of rollouts) {
    const { approval, approvedPlan } = config.spec.rollout;
    if (approval === 'None') continue;
    const { name } = config;
    if (planned === undefined || planned !== approvedPlan) {
      const message = `NodeConfig ${name} asks for rollout.approvedPlan, as its status.rollout.planHash says`;
      return plan('ApprovalNeeded', message);
    }
    if (planOf(node) === undefined)
      return plan(
        'WaitingForPlan',
        `NodeConfig ${name} is approved as others planned it; this node has not yet`,
      );
  }
  return undefined;
}

/** One that was told keeps its place: it may be silent because of the very change. */
function unheard({ node }: Standing): Assignment | undefined {
  if (node.heard && node.status !== undefined) return undefined;
  return { action: isTold(node) ? 'keep' : 'plan', verdict: silence(node) };
}

function told({ node }: Standing): Assignment | undefined {
  return isTold(node) ? offered('has been told to apply it') : undefined;
}

/**
 * Waves count of the rollout that leads on the node: of several that change it, the one that began first. Were all
 * to count, two configs whose first waves are different nodes would wait for each other for good.
 */
function waiting(standing: Standing): Assignment | undefined {
  const lead = leadOf(standing);
  const wave = waveOn(standing);
  if (lead === undefined || wave <= lead.progress.current) return undefined;
  const { config, progress } = lead;
  const name = progress.waves[wave]?.name ?? '';
  const next = progress.waves.findIndex(({ nodes }, index) => index > progress.current && nodes > 0);
  if (progress.soakEndsAt === undefined || wave !== next)
    // Names no other wave: the sentence stays true, and is written once, while the waves before it pass.
    return plan('WaitingForWave', `in wave ${name} of ${config.name}, which waits for the waves before it`);
  const until = new Date(progress.soakEndsAt).toISOString();
  const message = `in wave ${name} of ${config.name}; the wave before it is done and watched until ${until}`;
  return plan('Soaking', message);
}

/** The index of the node's wave in the rollout that leads on it. */
export function waveOn(standing: Standing): number {
  return leadOf(standing)?.waveOf.get(standing.node.name) ?? 0;
}

export function leadOf({ rollouts }: Standing): Rollout | undefined {
  return rollouts.toSorted((a, b) => (ageKey(a) < ageKey(b) ? -1 : 1))[0];
}

function ageKey({ config, status }: Rollout): string {
  return `${status?.startedAt} ${config.name}`;
}

function silence({ heard }: NodeFacts): Verdict<ConfigReason> {
  const message = heard
    ? 'the agent says nothing of a configuration; is it older than the operators?'
    : 'the node is not Ready, or its agent has not reported since it booted';
  return { reason: 'AgentSilent', message };
}

export function offered(message: string): Assignment {
  return { action: 'apply', verdict: { reason: 'Offered', message } };
}

function plan(reason: ConfigReason, message: string): Assignment {
  return { action: 'plan', verdict: { reason, message } };
}
