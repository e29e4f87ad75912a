import type { Sighting } from '../store/machine.ts';

const PREFIX = 'omaha.careen.dev';

/**
 * What selectors see of a machine. A machine that is a node of the cluster has the node's labels as well. A label
 * whose value the machine has never told is not there.
 */
export function machineLabels(
  id: string,
  { arch, track, board, oem, oemVersion, alias }: Omit<Sighting, 'group' | 'version' | 'address'>,
  ofNode: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const own = { track, board, oem, 'oem-version': oemVersion, alias, 'machine-id': id };
  const labels: Record<string, string> = { ...ofNode, 'kubernetes.io/arch': arch };
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && value !== '') labels[`${PREFIX}/${name}`] = value;
  }
  return labels;
}
