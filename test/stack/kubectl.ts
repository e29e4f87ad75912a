import { spawn } from 'node:child_process';

export class CommandError extends Error {
  override name = 'CommandError';
}

/** Runs a program with its standard input, gives its standard output; a failure carries what it said. */
export function run(command: string, args: readonly string[], input = ''): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk));
  child.on('error', reject);
  child.on('close', (code) => {
    if (code === 0) resolve(output);
    else
      reject(
        new CommandError(
          `${command} ${args.join(' ')} ended with ${code}: ${complaint.trim() || output.trim()}`,
        ),
      );
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return promise;
}
