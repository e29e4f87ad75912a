import type { Stack } from '#test/stack/stack.ts';
import { STUBBORN, stubbornWorkload } from '#test/stack/stubborn-workload.ts';

/** Has a pod run that its budget does not let go, on any node or on `node`; the node that it runs on. */
export async function placeStubborn(stack: Stack, node?: string): Promise<string> {
  const { name } = STUBBORN;
  await stack.apply(stubbornWorkload(node));
  await stack.kubectl(['rollout', 'status', `deployment/${name}`, '--timeout=120s']);
  const nodeName = 'jsonpath={.items[0].spec.nodeName}';
  return stack.kubectl(['get', 'pods', '-l', `app=${name}`, '-o', nodeName]);
}

/** Lets it go, without its budget. */
export async function freeStubborn(stack: Stack): Promise<void> {
  await stack.kubectl(['delete', 'pdb', STUBBORN.budget, '--ignore-not-found']);
}

/** Nothing of it is left. */
export async function removeStubborn(stack: Stack): Promise<void> {
  await freeStubborn(stack);
  await stack.kubectl(['delete', 'deployment', STUBBORN.name, '--ignore-not-found']);
}
