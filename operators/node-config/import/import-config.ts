import type { LabelSelector } from '#api/fields.ts';
import { readButane } from './butane.ts';
import { readCloudConfig, underscored } from './cloud-config/read-cloud-config.ts';
import type { Reboots } from './cloud-config/reboots.ts';
import { Cursor } from './cursor.ts';
import { formatOf, type Format } from './format.ts';
import { butane, IGNITION, type LocalFile } from './ignition/dialect.ts';
import { readIgnition } from './ignition/read-ignition.ts';
import { readMachineConfig, type Named } from './machine-config.ts';
import { objectsOf, type ImportedObject } from './objects.ts';
import { Source, type Refused } from './source.ts';

export interface ImportOptions {
  /** Without it, what the document looks like. */
  format?: Format;
  /** Of the objects, where the source gives none. */
  name?: string;
  /** Nodes that are configured so, where the source does not say; without it every node. */
  nodeSelector?: LabelSelector;
  /** Files beside the source, for Butane's `local`. */
  local?: LocalFile;
}

export interface Imported {
  /** Ready to be applied; what was refused is not in them. */
  objects: ImportedObject[];
  /** All that is not taken over, in the order of the source. */
  refused: Refused[];
}

/** A document of another system as objects of careen. It never throws; what it cannot take over it names. */
export function importConfig(text: string, options: ImportOptions = {}): Imported {
  const source = new Source(text);
  const objects = source.documents.flatMap((document, index) => {
    const root = Cursor.of(source, document);
    const read = readDocument(text, root, options);
    const suffix = index === 0 ? '' : `-${index + 1}`;
    const { name = `${options.name ?? 'imported'}${suffix}`, nodeSelector = options.nodeSelector ?? {} } =
      read;
    return objectsOf(root, { ...read, name, nodeSelector });
  });
  return { objects, refused: source.refused.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

function readDocument(text: string, root: Cursor, options: ImportOptions): Named & { reboots?: Reboots } {
  const local = options.local ?? (() => undefined);
  switch (options.format ?? formatOf(text, root)) {
    case 'ignition':
      return { sections: readIgnition(root, IGNITION) };
    case 'butane':
      return readButane(root.styled(butane(local).style), butane(local));
    case 'cloud-config':
      return readCloudConfig(root.styled(underscored));
    case 'machineconfig':
      return readMachineConfig(root);
    case undefined:
      root.refuse('is neither Ignition, Butane, a cloud-config nor a MachineConfig; name the format');
      return { sections: {} };
  }
}
