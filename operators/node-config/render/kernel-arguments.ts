import type { ConfigDocument } from '#api/config-document.ts';
import type { Lowered } from './claims.ts';
import { argumentName } from './kernel-argument.ts';
import type { Merged } from './merge.ts';

/**
 * Arguments keep the order of their config, because pairs such as `hugepagesz=1G hugepages=4` hang together. Those of
 * a higher priority come later: of two the kernel takes the last.
 */
export function kernelArguments(merged: Merged, sets: readonly Lowered[]): ConfigDocument['kernelArguments'] {
  const ordered = sets.toSorted((a, b) => a.priority - b.priority || (a.owner < b.owner ? -1 : 1));
  const added = ordered.flatMap(({ claims }) => claims.arguments.map(({ key }) => key));
  const removed = [...merged.arguments.values()].filter(({ value }) => value === 'remove');
  return {
    add: [...new Set(added)].filter((argument) => isAdded(argument, merged)),
    remove: removed.map(({ key }) => key).toSorted(),
  };
}

function isAdded(argument: string, { arguments: won, argumentLists }: Merged): boolean {
  if (won.get(argument)?.value !== 'add') return false;
  const list = argumentLists.get(argumentName(argument));
  return list === undefined || !argument.includes('=') || list.value.includes(argument);
}
