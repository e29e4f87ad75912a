import { spawn } from 'node:child_process';
import type { CommandResult } from './host.ts';

/** How much of a program's output is kept: enough for a message, too little to fill memory. */
const KEEP = 512;

/** Runs `argv` to its end; SIGKILL when `signal` aborts. Never rejects. */
export function runCommand(argv: readonly string[], signal: AbortSignal): Promise<CommandResult> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGKILL' });
    const keep = (data: Buffer) => {
      output = (output + data.toString('utf8')).slice(-KEEP);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    // A grandchild may hold the pipes open for ever: what counts is that the program ended.
    child.on('exit', (status) => {
      child.stdout.destroy();
      child.stderr.destroy();
      resolve({ status: status ?? undefined, output });
    });
    child.on('error', (error) => {
      resolve({ status: undefined, output: error.message });
    });
  });
}
