import { API_VERSION, resourcePath } from '#api/group.ts';
import type { NodeGroup } from '#api/kinds.ts';
import type { KubeClient } from '#runtime/client/client.ts';
import { holdGrant, releaseGrant } from './hold-grant.fixture.ts';
import { holdGate, holdReboot, releaseGate } from './holds.fixture.ts';
import type { Moment } from './moment.fixture.ts';
import { placeImmovable, removeStubborn } from './stubborn.fixture.ts';
import type { Witness } from './witness.fixture.ts';

/** In which moment of one rollout each node is kept at first, and then those that go on. */
export const FIRST = {
  'machine-1': 'Verifying',
  'machine-2': 'Granted',
  'machine-3': 'Draining',
  'machine-4': 'Staging',
} as const satisfies Record<string, Moment>;
export const SECOND = {
  'machine-2': 'Rebooting',
  'machine-3': 'Draining',
  'machine-4': 'Staged',
} as const satisfies Record<string, Moment>;

export const UPDATED = Object.keys(FIRST);
/** Carries the operators, and is never cut off. */
const OPERATORS = 'machine-5';

/** Values for the chart: the operators live on a node that has no part in the rollout. */
export const APART = Object.fromEntries(
  ['update', 'rebootLock'].map((operator) => [
    operator,
    { nodeSelector: { 'kubernetes.io/hostname': OPERATORS } },
  ]),
);

const LEFT_OUT = 'example.com/left-out';

/** The group has only nodes without the label. */
export function leaveOut({ spec }: NodeGroup): void {
  spec.nodeSelector = { matchExpressions: [{ key: LEFT_OUT, operator: 'DoesNotExist' }] };
}

const WINDOW = {
  apiVersion: API_VERSION,
  kind: 'RebootWindow',
  metadata: { name: 'not-yet' },
  spec: {
    nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'machine-4' } },
    deny: [{ from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z', reason: 'a test' }],
  },
};

/** To be called before the version is published. All but machine-4 then come to where they are kept. */
export async function prepareLineup(witness: Witness): Promise<void> {
  const { stack } = witness;
  const { client } = stack;
  await Promise.all([
    label(client, OPERATORS, ''),
    label(client, 'machine-4', ''),
    holdGate(witness.machine('machine-1')),
    holdReboot(witness.machine('machine-2')),
    holdGrant(client, 'machine-2'),
    placeImmovable(stack, 'machine-3'),
    client.create(resourcePath('RebootWindow'), WINDOW),
  ]);
}

/** The last one of the group gets the version as well. */
export async function joinLast({ stack }: Witness): Promise<void> {
  await label(stack.client, 'machine-4', null);
}

/** Has the nodes go on to where they are kept next. */
export async function advanceLineup(witness: Witness): Promise<void> {
  await Promise.all([releaseGate(witness.machine('machine-1')), releaseGrant(witness.stack.client)]);
}

/** Lets every node go on that is still held. */
export async function dissolveLineup({ stack }: Witness): Promise<void> {
  await Promise.all([
    removeStubborn(stack),
    stack.client.delete(resourcePath('RebootWindow', WINDOW.metadata.name)),
  ]);
}

async function label(client: KubeClient, node: string, value: '' | null): Promise<void> {
  await client.mergePatch(`/api/v1/nodes/${node}`, { metadata: { labels: { [LEFT_OUT]: value } } });
}
