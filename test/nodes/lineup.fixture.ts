import { removeStubborn, placeStubborn } from './stubborn.fixture.ts';
import { freezeAgent, holdGate, holdReboot, releaseGate, releaseReboot } from './holds.fixture.ts';
import type { Moment } from './moment.fixture.ts';
import type { Witness } from './witness.fixture.ts';

/** Which node is kept in which moment of the next rollout. The other nodes go as they like. */
export const LINEUP = {
  'machine-1': 'Verifying',
  'machine-2': 'Rebooting',
  'machine-3': 'Draining',
  'machine-5': 'Staged',
} as const satisfies Record<string, Moment>;

const WINDOW = {
  apiVersion: 'careen.dev/v1alpha1',
  kind: 'RebootWindow',
  metadata: { name: 'not-yet' },
  spec: {
    nodeSelector: { matchLabels: { 'kubernetes.io/hostname': 'machine-5' } },
    deny: [{ from: '2020-01-01T00:00:00Z', to: '2099-01-01T00:00:00Z', reason: 'a test' }],
  },
};

/** To be called before the version is published. */
export async function prepareLineup(witness: Witness): Promise<void> {
  await Promise.all([
    holdGate(witness.machine('machine-1')),
    holdReboot(witness.machine('machine-2')),
    placeStubborn(witness.stack, 'machine-3'),
    witness.stack.apply([WINDOW]),
  ]);
}

/** Lets every node go on that is still held. */
export async function dissolveLineup(witness: Witness): Promise<void> {
  await Promise.all([
    releaseGate(witness.machine('machine-1')),
    releaseReboot(witness.machine('machine-2')),
    removeStubborn(witness.stack),
    witness.stack.kubectl(['delete', 'rebootwindow', WINDOW.metadata.name]),
  ]);
}

/** Resolves when it has its grant, which its agent does not accept before it is thawed. */
export async function keepGranted(witness: Witness, name: string): Promise<void> {
  const granted = witness.when('Granted', name);
  const isStaged = witness.sights.when(`${name} is staged`, (sight) => {
    return sight.name === name && sight.state.status?.update?.phase === 'Staged';
  });
  await Promise.race([isStaged, granted]);
  freezeAgent(witness.machine(name));
  await granted;
}
