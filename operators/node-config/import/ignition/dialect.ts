import type { Cursor, KeyStyle } from '../cursor.ts';
import { decimalMode, octalMode, type Mode } from '../file-mode.ts';

/** The bytes of a file beside the source, by its path relative to that; undefined where there is none. */
export type LocalFile = (path: string) => Uint8Array | undefined;

/** How one of the formats around Ignition writes the same things. */
export interface Dialect {
  style: KeyStyle;
  mode: (cursor: Cursor) => Mode | undefined;
  /** Fields of contents that say where bytes come from. */
  sources: readonly ('source' | 'inline' | 'local')[];
  local: LocalFile;
}

export const IGNITION: Dialect = {
  style: (key) => key,
  mode: decimalMode,
  sources: ['source'],
  local: () => undefined,
};

/** Butane writes ssh_authorized_keys where Ignition writes sshAuthorizedKeys. */
export function butane(local: LocalFile): Dialect {
  return {
    style: (key) => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    mode: octalMode,
    sources: ['source', 'inline', 'local'],
    local,
  };
}
