import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** Whether a Helm of this version works on our chart: 3.14 or later. */
export function helmFits(version: string): boolean {
  const [, major = '0', minor = '0'] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) >= 4 || (Number(major) === 3 && Number(minor) >= 14);
}

/** The first Helm on the search path, if it fits. */
export async function helmOnPath(env: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const directory of (env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(directory, 'helm');
    if (directory === '' || !(await isExecutable(file))) continue;
    const version = await promisify(execFile)(file, ['version', '--template', '{{.Version}}'], { env }).then(
      ({ stdout }) => stdout,
      () => '', // an Emacs helm, perhaps
    );
    return helmFits(version) ? file : undefined;
  }
  return undefined;
}

/** Whether `file` is a file that we may run. */
export async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
