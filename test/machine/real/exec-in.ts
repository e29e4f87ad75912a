import { execFile, type ExecFileException } from 'node:child_process';
import { existsSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { BOUNDED } from './bounded.ts';
import { RealNodeError } from './real-node-error.ts';
import { TOOL_PATH } from './tool.ts';

/** How a program on a node ended. */
export interface ExecResult {
  /** 128 + the signal's number where a signal ended it. */
  status: number;
  stdout: string;
  stderr: string;
}

const NAMESPACES = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--time'];
const NODE_PATH = '/opt/node/bin:/opt/node/kbin:/usr/sbin:/usr/bin';

/**
 * Runs a program in all namespaces of process `pid`; a failing status is a result, not an error.
 * @throws RealNodeError NodeFailed when that is no process of a node: `reboot` would mean this computer
 */
export async function execIn(pid: number, argv: readonly string[]): Promise<ExecResult> {
  demandNode(pid);
  const [command, ...bounded] = BOUNDED;
  const args = [
    ...bounded,
    'nsenter',
    `--target=${pid}`,
    ...NAMESPACES,
    '--',
    'env',
    '-i',
    `PATH=${NODE_PATH}`,
    ...argv,
  ];
  const options = { env: { PATH: TOOL_PATH }, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : statusOf(error), stdout, stderr });
    });
  });
}

function demandNode(pid: number): void {
  if (existsSync(`/proc/${pid}`) && pidNamespace(pid) !== pidNamespace('self')) return;
  throw new RealNodeError('NodeFailed', 'the node is down: nothing can run there');
}

function pidNamespace(pid: number | 'self'): string {
  return readlinkSync(`/proc/${pid}/ns/pid`);
}

function statusOf({ code, signal }: ExecFileException): number {
  if (typeof code === 'number') return code;
  return 128 + (signal === undefined || signal === null ? 0 : constants.signals[signal]);
}
