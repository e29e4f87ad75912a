import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { nodeBinary } from './node-binary.ts';

/** Node, with the versions of what is linked into its binary. */
export interface NodeRelease {
  version: string;
  /** Name and version. */
  parts: [name: string, version: string][];
}

/** Numbers of interfaces, not of software; what was left out of this build has no version. */
const interfaces = ['node', 'modules', 'napi', 'unicode'];

/** Asks the binary that goes into the images, which may be another than the one that runs us. */
export async function nodeRelease(): Promise<NodeRelease> {
  const { stdout } = await promisify(execFile)(nodeBinary, ['-p', 'JSON.stringify(process.versions)']);
  const versions = JSON.parse(stdout) as Record<string, string>;
  const parts = Object.entries(versions).filter(([name, version]) => version && !interfaces.includes(name));
  return { version: versions['node'] ?? '', parts };
}
