import { isReady } from '#api/meta.ts';
import type { Moment } from './moment.fixture.ts';
import type { Sight } from './sights.fixture.ts';
import type { Witness } from './witness.fixture.ts';

/** Resolves when the node is Ready in the boot that it is in now, and its agent says so of its update. */
export async function backTo(witness: Witness, node: string, moment: Moment): Promise<void> {
  const { bootID } = witness.machine(node).state();
  const isBack = ({ name, moment: present, node: { status }, state }: Sight) =>
    name === node &&
    present === moment &&
    state.status?.bootID === bootID &&
    status?.nodeInfo?.bootID === bootID;
  await witness.sights.when(`${node} is back and ${moment}`, (sight) => isBack(sight) && isReady(sight.node));
}
