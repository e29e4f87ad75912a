import type { RebootReason, Verdict } from '#api/reasons.ts';
import { placeOf, unavailable, type Unavailable } from './availability.ts';
import type { NodeFacts } from './facts.ts';
import { CONTROL_PLANE_LOCK, covers, domainOf, maxOf, type Lock } from './lock.ts';

type Full = Verdict<RebootReason>;

/** One lock's budget over one snapshot. */
export interface Budget {
  covered: number;
  max: number;
  unavailable: readonly Unavailable[];
  /** Whether the node may be unavailable next to all others that are: nothing, or why not. */
  room(node: NodeFacts): Full | undefined;
  /** The budget once the node holds a place. */
  plus(node: NodeFacts): Budget;
}

export function budgetOf(lock: Lock, nodes: readonly NodeFacts[]): Budget {
  const members = nodes.filter((node) => covers(lock, node));
  const sizes = sizesOf(lock, members);
  return assess(lock, members.length, sizes, unavailable(lock, nodes));
}

function assess(
  lock: Lock,
  covered: number,
  sizes: ReadonlyMap<string, number>,
  down: readonly Unavailable[],
): Budget {
  const max = maxOf(lock, covered);
  const names = new Set(down.map(({ node }) => node));
  // All nodes of a domain that are up get the same answer, and thousands may ask.
  const answers = new Map<string, Full | undefined>();
  const fit = (others: readonly Unavailable[], domain: string) => {
    const most = lock.spec.topologyKey === undefined ? max : maxOf(lock, sizes.get(domain) ?? 0);
    return roomInDomain(lock, most, others, domain) ?? roomForDomain(lock, others, domain);
  };
  const room = (node: NodeFacts): Full | undefined => {
    if (lock.invalid !== undefined) return invalid(lock);
    const domain = domainOf(lock, node);
    if (names.has(node.name)) return fit(without(down, node), domain);
    if (!answers.has(domain)) answers.set(domain, fit(down, domain));
    return answers.get(domain);
  };
  const plus = (node: NodeFacts) =>
    assess(lock, covered, sizes, [...without(down, node), placeOf(lock, node)]);
  return { covered, max, unavailable: down, room, plus };
}

function without(list: readonly Unavailable[], { name }: NodeFacts): Unavailable[] {
  return list.filter(({ node }) => node !== name);
}

/** How many members each domain has. */
function sizesOf(lock: Lock, members: readonly NodeFacts[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const node of members) {
    const domain = domainOf(lock, node);
    sizes.set(domain, (sizes.get(domain) ?? 0) + 1);
  }
  return sizes;
}

function invalid(lock: Lock): Full {
  return { reason: 'LockInvalid', message: `RebootLock ${lock.name} cannot be evaluated: ${lock.invalid}` };
}

function roomInDomain(lock: Lock, max: number, others: readonly Unavailable[], domain: string) {
  const perDomain = lock.spec.topologyKey !== undefined;
  const counted = perDomain ? others.filter(({ domains }) => domains.includes(domain)) : others;
  if (counted.length < max) return undefined;
  const place = perDomain ? ` in ${lock.spec.topologyKey}=${domain === '' ? '(no label)' : domain}` : '';
  return full(lock, `${counted.length} of ${max} unavailable${place}${names(counted)}`);
}

function full(lock: Lock, message: string): Full {
  const reason = lock.name === CONTROL_PLANE_LOCK ? 'ControlPlane' : 'LockFull';
  return { reason, message: `RebootLock ${lock.name}: ${message}` };
}

function roomForDomain(lock: Lock, others: readonly Unavailable[], domain: string): Full | undefined {
  const { maxDomains, topologyKey } = lock.spec;
  if (maxDomains === undefined) return undefined;
  const disrupted = new Set(others.flatMap(({ domains }) => domains));
  disrupted.delete(domain);
  if (disrupted.size < maxDomains) return undefined;
  const list = [...disrupted].map((one) => (one === '' ? '(no label)' : one)).toSorted();
  return {
    reason: 'DomainsFull',
    message: `RebootLock ${lock.name}: ${disrupted.size} of ${maxDomains} values of ${topologyKey} disrupted: ${list.slice(0, 8).join(', ')}`,
  };
}

const NAMED = 5;

/** Only outages are named: holders change with every turn, and the lock's status lists them. */
function names(list: readonly Unavailable[]): string {
  const outages = list.filter(({ held }) => !held);
  if (outages.length === 0) return '';
  const shown = outages.slice(0, NAMED).map(({ node, why }) => `${node} (${why})`);
  const more = outages.length > NAMED ? ` and ${outages.length - NAMED} more` : '';
  return `: ${shown.join(', ')}${more}`;
}
