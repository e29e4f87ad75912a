import type { Cursor } from './cursor.ts';

export const FORMATS = ['ignition', 'butane', 'cloud-config', 'machineconfig'] as const;
export type Format = (typeof FORMATS)[number];

/** What a document looks like; undefined where it could be anything. */
export function formatOf(text: string, document: Cursor): Format | undefined {
  // coreos-cloudinit took a text for a cloud-config by its first line alone.
  if (/^#cloud-config\s*$/.test(text.split('\n', 1)[0] ?? '')) return 'cloud-config';
  const keys = new Map(document.entries());
  if (keys.get('kind')?.text() === 'MachineConfig') return 'machineconfig';
  if (keys.has('variant')) return 'butane';
  return keys.has('ignition') ? 'ignition' : undefined;
}
