import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Whether a process with this id exists and is not merely waiting to be reaped (a zombie). */
export function isRunning(pid: number): boolean {
  try {
    const state = existsSync('/proc/self/stat') ? stateInProc(pid) : stateByPs(pid);
    return state !== '' && !state.startsWith('Z') && !state.startsWith('X');
  } catch {
    return false;
  }
}

function stateInProc(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2); // the name in parentheses may hold anything
}

function stateByPs(pid: number): string {
  return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).trim();
}
