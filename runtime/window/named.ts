import type { LabelSelector } from '#api/fields.ts';
import type { RebootWindow } from '#api/kinds.ts';
import { rebootWindowSpec } from '#api/reboot-window.ts';
import { compileWindow, type Window } from './window.ts';

/** A RebootWindow that is ready to be asked. */
export interface NamedWindow {
  name: string;
  nodeSelector: LabelSelector;
  window: Window;
}

const compiled = new WeakMap<RebootWindow, NamedWindow>();

/** Reads a RebootWindow; compiled once for each version of the object that the cache holds. */
export function readWindow(object: RebootWindow): NamedWindow {
  const known = compiled.get(object);
  if (known !== undefined) return known;
  const named = compile(object);
  compiled.set(object, named);
  return named;
}

/** A spec that the schema refuses is closed, and closed for every node: its selector cannot be trusted either. */
function compile({ metadata, spec }: RebootWindow): NamedWindow {
  const parsed = rebootWindowSpec.safeParse(spec);
  if (parsed.success) {
    const { nodeSelector } = parsed.data;
    return { name: metadata.name, nodeSelector, window: compileWindow(parsed.data) };
  }
  const invalid = parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ');
  return { name: metadata.name, nodeSelector: {}, window: { invalid, at: () => ({ open: false }) } };
}
