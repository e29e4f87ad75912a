import type { Stack } from '#test/stack/stack.ts';

/** Moves all of careen's operators to one node, which is to stay connected. */
export async function gatherOperators(stack: Stack, name: string): Promise<void> {
  const others = stack.machineNames.filter((other) => other !== name);
  const operators = ['--namespace=careen-system', 'deployment'];
  await stack.kubectl(['cordon', ...others]);
  await stack.kubectl(['rollout', 'restart', ...operators]);
  await stack.kubectl(['rollout', 'status', ...operators, '--timeout=180s']);
  await stack.kubectl(['uncordon', ...others]);
}
