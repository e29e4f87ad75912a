import { errnoOf } from '#agent/errno.ts';
import { z } from 'zod';
import { ConfigError } from '../config-error.ts';
import { Directory } from './directory.ts';
import { pathFault } from './host-path.ts';
import type { HostTree } from './host-tree.ts';
import { readBytes } from './read-bytes.ts';

/** Where the machine's owner says, on the host, what the cluster may not. */
export const POLICY_PATH = '/etc/careen/policy.json';
const MAX_BYTES = 64 * 1024;

const path = z.string().refine((text) => pathFault(text) === undefined, 'is not a plain absolute path');
const schema = z.strictObject({
  /** Patterns: `*` stands for any characters within a component; what lies below is meant too. */
  paths: z
    .strictObject({ allow: z.array(path).default([]), deny: z.array(path).default([]) })
    .default({ allow: [], deny: [] }),
  /** Units that no configuration may change: names, `*` for any characters. */
  units: z.strictObject({ deny: z.array(z.string()).default([]) }).default({ deny: [] }),
  allowCritical: z.boolean().default(true),
  kernelArguments: z.boolean().default(true),
  /** Whether commands of a configuration (`validate`, probes) may run on the host. */
  commands: z.boolean().default(true),
});

/** The machine's own rules, which stand above anything that the cluster says. */
export type LocalPolicy = Readonly<z.infer<typeof schema>> & { source: string };

/** What holds on a host without a policy of its own. */
export const noLocalPolicy: LocalPolicy = { ...schema.parse({}), source: POLICY_PATH };

/**
 * The policy that the host has. One that is not root's alone, or that cannot be understood, allows nothing: throws
 * `PolicyRefused`.
 */
export async function readLocalPolicy(tree: HostTree): Promise<LocalPolicy> {
  const text = await policyText(tree);
  if (text === undefined) return noLocalPolicy;
  try {
    return { ...schema.parse(JSON.parse(text)), source: POLICY_PATH };
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw closed(`cannot be understood (${why}): mend it or remove it`, error);
  }
}

async function policyText(tree: HostTree): Promise<string | undefined> {
  try {
    await using directory = await Directory.open(tree, '/etc/careen');
    const { bytes, stat } = await readBytes(directory, 'policy.json', MAX_BYTES);
    if (stat.uid !== 0n || (stat.mode & 0o022n) !== 0n)
      throw closed('is not root’s alone: chown root and chmod 0644 it');
    return bytes.toString('utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error instanceof ConfigError && error.code === 'PolicyRefused'
      ? error
      : closed(`cannot be read (${String(error)}): make it a plain file`, error);
  }
}

function closed(why: string, cause?: unknown): ConfigError {
  const message = `nothing is written: ${POLICY_PATH} on the node ${why}`;
  return new ConfigError('PolicyRefused', message, { path: POLICY_PATH, cause });
}
