import { basename, dirname, extname, resolve } from 'node:path';
import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { z } from 'zod';
import { FORMATS } from '#operators/node-config/import/format.ts';
import { importConfig } from '#operators/node-config/import/import-config.ts';
import { switchFlag } from '#runtime/flags/types.ts';
import { command } from '../command.ts';
import { STATUS } from '../run.ts';
import { readInput } from './from-files.ts';

/** kubectl reads YAML 1.1, in which off and no are false unless they are quoted. */
const YAML = { lineWidth: 110, version: '1.1' } as const;

/** Machine configuration of other systems as manifests of careen. What cannot be taken over is named, all of it. */
export const importCommand = command({
  words: 'FILE',
  count: { min: 1, max: 1 },
  help: 'Turn Ignition, Butane, a cloud-config or a MachineConfig into manifests.',
  flags: {
    format: {
      schema: z.enum(FORMATS).optional(),
      value: 'FORMAT',
      help: `What it is, where it cannot be told: ${FORMATS.join(', ')}.`,
    },
    name: {
      schema: z.string().optional(),
      value: 'NAME',
      help: 'Name of the objects; without it, of the file.',
    },
    filesDir: {
      schema: z.string().optional(),
      value: 'PATH',
      help: "Where Butane's local files lie; without it they are refused.",
    },
    skipUnsupported: {
      schema: switchFlag,
      default: 'false',
      help: 'Write what can be taken over although something cannot.',
    },
  },
  act: async ({ words: [path = ''], flags, print, warn }) => {
    const { format, filesDir, skipUnsupported } = flags;
    const { objects, refused } = importConfig(await readInput(path), {
      name: flags.name ?? nameFor(path),
      ...(format === undefined ? {} : { format }),
      ...(filesDir === undefined ? {} : { local: localFiles(filesDir) }),
    });
    for (const { what, line, column, message } of refused)
      warn(`${path}:${line}:${column}: ${what} ${message}`);
    if (refused.length > 0 && !skipUnsupported) {
      warn(`not taken over: ${refused.length}; --skip-unsupported writes the rest`);
      return STATUS.differs;
    }
    print(
      objects
        .map((object) => stringify(object, YAML))
        .join('---\n')
        .trimEnd(),
    );
    return STATUS.done;
  },
});

function nameFor(path: string): string {
  const stem = basename(path, extname(path)).toLowerCase();
  const name = stem.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return name === '' ? 'imported' : name;
}

/** Files below one directory; nothing outside it is read. */
function localFiles(directory: string) {
  const root = resolve(directory);
  return (name: string): Buffer | undefined => {
    const path = resolve(root, name);
    if (dirname(path) !== root && !path.startsWith(`${root}/`)) return undefined;
    try {
      return readFileSync(path);
    } catch {
      return undefined;
    }
  };
}
