import { execFile, type ExecFileException } from 'node:child_process';
import { constants } from 'node:os';
import { BOUNDED } from './bounded.ts';
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

/** Runs a program in all namespaces of process `pid`; a failing status is a result, not an error. */
export function execIn(pid: number, argv: readonly string[]): Promise<ExecResult> {
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

function statusOf({ code, signal }: ExecFileException): number {
  if (typeof code === 'number') return code;
  return 128 + (signal === undefined || signal === null ? 0 : constants.signals[signal]);
}
