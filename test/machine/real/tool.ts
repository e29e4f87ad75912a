import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RealNodeError } from './real-node-error.ts';

const run = promisify(execFile);

/** Where Debian keeps the programs for disks and links, which need not be on a user's path. */
export const TOOL_PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/bin:/sbin:/bin`;

/**
 * Runs one of the system's programs and gives what it printed.
 * @throws RealNodeError ToolFailed with what it said
 */
export async function tool(name: string, args: readonly string[]): Promise<string> {
  try {
    const env = { ...process.env, PATH: TOOL_PATH };
    return (await run(name, [...args], { env, maxBuffer: 16 * 1024 * 1024 })).stdout.trim();
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim() ?? '';
    const why = said === '' ? String(cause) : said;
    throw new RealNodeError('ToolFailed', `${name} ${args.join(' ')}: ${why}`, { cause });
  }
}
