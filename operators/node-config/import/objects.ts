import type { z } from 'zod';
import { API_VERSION } from '#api/group.ts';
import type { LabelSelector } from '#api/fields.ts';
import { nodeConfigSpec } from '#api/node-config.ts';
import { nodeGroupSpec } from '#api/node-group.ts';
import { rebootWindowSpec } from '#api/reboot-window.ts';
import type { Reboots } from './cloud-config/reboots.ts';
import type { Cursor } from './cursor.ts';
import type { GivenSpec, Sections } from './spec.ts';

/** An object of careen as a person would have written it: without defaults. */
export type ImportedObject =
  | ImportedKind<'NodeConfig', GivenSpec>
  | ImportedKind<'NodeGroup', z.input<typeof nodeGroupSpec>>
  | ImportedKind<'RebootWindow', z.input<typeof rebootWindowSpec>>;

interface ImportedKind<K extends string, Spec> {
  apiVersion: typeof API_VERSION;
  kind: K;
  metadata: { name: string };
  spec: Spec;
}

interface Read {
  name: string;
  nodeSelector: LabelSelector;
  sections: Sections;
  reboots?: Reboots;
}

/** The objects that a document comes to; one that the API would refuse is refused at the document. */
export function objectsOf(
  at: Cursor,
  { name, nodeSelector, sections, reboots = {} }: Read,
): ImportedObject[] {
  const object = <K extends string, Spec>(kind: K, spec: Spec): ImportedKind<K, Spec> => ({
    apiVersion: API_VERSION,
    kind,
    metadata: { name },
    spec,
  });
  const config = { nodeSelector, ...filled(sections) };
  const group = { nodeSelector, ...groupOf(reboots) };
  const window = { nodeSelector, allow: reboots.window === undefined ? [] : [reboots.window] };
  return [
    ...(says(config) && accepted(at, nodeConfigSpec, config) ? [object('NodeConfig', config)] : []),
    ...(says(group) && accepted(at, nodeGroupSpec, group) ? [object('NodeGroup', group)] : []),
    ...(reboots.window !== undefined && accepted(at, rebootWindowSpec, window)
      ? [object('RebootWindow', window)]
      : []),
  ];
}

function filled(sections: Sections): Sections {
  return Object.fromEntries(
    Object.entries(sections).filter(([, section]) => Object.keys(section ?? '').length > 0),
  );
}

function groupOf({ strategy, channel }: Reboots) {
  return {
    ...(channel !== undefined && { update: { channel } }),
    ...(strategy !== undefined && { reboot: { strategy } }),
  };
}

/** Anything but whom it is for. */
function says(spec: object): boolean {
  return Object.keys(spec).length > 1;
}

function accepted(at: Cursor, schema: z.ZodType, spec: unknown): boolean {
  const found = schema.safeParse(spec);
  for (const { path, message } of found.error?.issues ?? []) at.refuse(`${path.join('.')}: ${message}`);
  return found.success;
}
