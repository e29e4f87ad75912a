import type { z } from 'zod';
import { nodeConfigSpec } from '#api/node-config.ts';
import type { Cursor } from './cursor.ts';

/** What people write into a NodeConfig: defaults are left out. */
export type GivenSpec = z.input<typeof nodeConfigSpec>;

/** The sections that an import can fill. */
export type Sections = Partial<
  Pick<
    GivenSpec,
    'files' | 'directories' | 'links' | 'units' | 'sshAuthorizedKeys' | 'kernelArguments' | 'hostname'
  >
>;

/** The same sections, if a NodeConfig may say so; else refused at the cursor, in the words of the API. */
export function checked<S extends Sections>(cursor: Cursor, sections: S): S | undefined {
  const found = nodeConfigSpec.safeParse({ nodeSelector: {}, ...sections });
  if (found.success) return sections;
  for (const { path, message } of found.error.issues) {
    const field = path
      .filter((part) => typeof part === 'string')
      .slice(1)
      .join('.');
    cursor.refuse(`${field === '' ? '' : `${field}: `}${message}`);
  }
  return undefined;
}
