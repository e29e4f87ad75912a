import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { resourcePath } from '#api/group.ts';
import type { NodeState } from '#api/kinds.ts';
import { Informer } from '#runtime/informer/informer.ts';
import { createLogger } from '#runtime/log/log.ts';
import { until } from '#test/cluster/until.ts';
import { NODE_OBJECT_KINDS, nodeObjectPath } from './deliver/node-objects.ts';
import { ConfigCluster } from './testing/config-cluster.ts';
import { MortalOperator } from './testing/mortal-operator.ts';

/**
 * The leader dies before its first write, before its second, and so on to its last: while nodes get their first
 * configuration, while it changes, and while it is taken away. One node at a time may apply.
 */
let it: ConfigCluster;
let states: Informer<NodeState>;
let leader: MortalOperator | undefined;

const NODES = ['n0', 'n1'];
const GENEROUS = { timeoutMs: 120_000, everyMs: 20 };
/** Who was told to apply what is not in force there, whenever it was more than one. */
const crowds: string[][] = [];

before(async () => {
  it = await ConfigCluster.start();
  const log = createLogger({ name: 'test', level: 'error' });
  const look = () => {
    const told = states.list().filter(({ spec, status }) => {
      return spec.config?.apply === true && spec.config.hash !== status?.config?.applied;
    });
    if (told.length > 1) crowds.push(told.map(({ metadata }) => metadata.name));
  };
  states = new Informer<NodeState>({
    client: it.client,
    path: resourcePath('NodeState'),
    onChange: look,
    log,
  });
  states.start();
  for (const name of NODES) await it.agents.join(name);
});
after(async () => {
  await leader?.stop();
  await states?.stop();
  await it?.stop();
});

/** What is asked for, and when it has come about. */
interface Leg {
  what: string;
  ask: () => Promise<unknown>;
  holds: () => Promise<boolean>;
  /** Whether nodes apply something. */
  applies: boolean;
}

const LEGS: Leg[] = [
  { what: 'first', ask: () => motd('one'), holds: () => says('one'), applies: true },
  { what: 'change', ask: () => motd('two'), holds: () => says('two'), applies: true },
  {
    what: 'removal',
    ask: () => it.client.delete(resourcePath('NodeConfig', 'motd')),
    holds: isBare,
    applies: false,
  },
];

test('a leader that dies between any two writes leaves what the next one ends in the same state', async (t) => {
  const deaths = new Map(LEGS.map(({ what }) => [what, 0]));
  for (let writes = 0, dies = true; dies; writes += 1) {
    dies = false;
    for (const leg of LEGS) {
      if (!(await dieAfter(writes, leg))) continue;
      dies = true;
      deaths.set(leg.what, writes + 1);
    }
  }
  t.diagnostic(`deaths: ${JSON.stringify([...deaths])}`);
  for (const [what, count] of deaths) assert.ok(count >= 4, `${what}: ${count}`);
});

/** False: it came to the end without so many writes. */
async function dieAfter(writes: number, { what, ask, holds, applies }: Leg): Promise<boolean> {
  const told = `${what}, dead after ${writes} writes`;
  const before = await generations();
  it.agents.applied.length = 0;
  const mortal = await lead(writes);
  await ask();
  await until(told, async () => mortal.isDead || (await holds()), GENEROUS);
  const { isDead } = mortal;
  await lead();
  await until(`${told}: the next leader ends it`, holds, GENEROUS);
  assert.deepEqual(crowds, [], told);
  assert.deepEqual(it.agents.applied.map(({ node }) => node).toSorted(), applies ? NODES : [], told);
  const raised = [...(await generations())].map(([name, now]) => now - (before.get(name) ?? 0));
  assert.deepEqual(raised, [1, 1], `${told}: the generation of what is wanted`);
  return isDead;
}

/** One takes the lead from the one before. */
async function lead(writes?: number): Promise<MortalOperator> {
  await leader?.stop();
  leader = new MortalOperator(it.cluster.kubeconfig, writes);
  return leader;
}

async function motd(contents: string): Promise<void> {
  const rollout = { maxApplying: 1, waves: [{ name: 'first', size: 1 }] };
  await it.apply('NodeConfig', 'motd', {
    nodeSelector: {},
    files: [{ path: '/etc/motd', contents }],
    rollout,
  });
}

/** Whether every node has just this in force, and a Secret that says so. */
async function says(text: string): Promise<boolean> {
  const all = await Promise.all(
    (await it.states()).map(async ({ metadata: { name }, spec, status }) => {
      const { hash = '', generation = 0, apply } = spec.config ?? {};
      if (apply !== true || status?.config?.applied !== hash) return false;
      const { document } = await it.agents.bundle(name, hash, generation);
      return JSON.stringify(document.files).includes(`"${text}"`);
    }),
  );
  return all.length === NODES.length && all.every(Boolean);
}

/** Whether nodes have nothing in force, and nothing is left of what was made for them. */
async function isBare(): Promise<boolean> {
  const all = await it.states();
  if (all.some(({ spec, status }) => (spec.config?.hash ?? status?.config?.applied) !== undefined))
    return false;
  const lists = await Promise.all(
    NODE_OBJECT_KINDS.map((kind) => it.client.list<NodeState>(nodeObjectPath(kind))),
  );
  return !lists.some(({ items }) => items.some(({ metadata }) => NODES.includes(metadata.name)));
}

async function generations(): Promise<Map<string, number>> {
  return new Map(
    (await it.states()).map(({ metadata, spec }) => [metadata.name, spec.config?.generation ?? 0]),
  );
}
