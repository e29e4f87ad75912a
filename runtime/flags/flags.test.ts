import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { FlagError, type Flags, parseFlags } from './flags.ts';
import { addressFlag, argvFlag, countFlag, durationFlag, switchFlag } from './types.ts';

const flags = {
  leaseDuration: { schema: durationFlag, value: 'TIME', default: '15s', help: 'How long.' },
  nodeName: { schema: z.string().min(1), value: 'NAME', env: 'NODE_NAME', help: 'Which node.' },
  kubeconfig: { schema: z.string().optional(), value: 'PATH', help: 'Where.' },
  address: { schema: addressFlag, value: 'ADDRESS', default: ':8080', help: 'Listen.' },
  rebootCommand: { schema: argvFlag.optional(), value: 'JSON', help: 'How.' },
  workers: { schema: countFlag, value: 'N', default: '2', help: 'How many.' },
  dryRun: { schema: switchFlag, default: 'false', help: 'Only look.' },
} satisfies Flags;

const parse = (argv: string[], env: Record<string, string> = { NODE_NAME: 'n1' }) =>
  parseFlags('careen-test', flags, argv, env);

function refusal(argv: string[], env?: Record<string, string>): FlagError {
  try {
    parse(argv, env);
  } catch (error) {
    if (error instanceof FlagError) return error;
  }
  throw new Error('nothing was refused');
}

describe('flags', () => {
  it('have defaults, and durations are milliseconds', () => {
    assert.deepEqual(parse([]), {
      leaseDuration: 15_000,
      nodeName: 'n1',
      kubeconfig: undefined,
      address: ':8080',
      rebootCommand: undefined,
      workers: 2,
      dryRun: false,
    });
  });

  it('are read with = or a space, as switches, and as JSON', () => {
    const argv = [
      '--lease-duration=1m30s',
      '--kubeconfig',
      '/k',
      '--dry-run',
      '--reboot-command',
      '["reboot","-f"]',
    ];
    const { leaseDuration, kubeconfig, dryRun, rebootCommand } = parse(argv);
    assert.deepEqual(
      [leaseDuration, kubeconfig, dryRun, rebootCommand],
      [90_000, '/k', true, ['reboot', '-f']],
    );
  });

  it('count last when they are repeated', () => {
    assert.equal(parse(['--node-name', 'a', '--workers', '3', '--node-name', 'b']).nodeName, 'b');
  });

  it('come before the environment, which comes before the default', () => {
    assert.equal(parse(['--node-name', 'flag']).nodeName, 'flag');
    assert.equal(parse([], { NODE_NAME: 'env' }).nodeName, 'env');
  });

  it('are refused with what to do: unknown, stray, missing, malformed', () => {
    assert.match(refusal(['--node-nam', 'x']).message, /--node-nam/);
    assert.match(refusal(['stray']).message, /stray/);
    assert.match(refusal([], {}).message, /--node-name is required: give it or set NODE_NAME/);
    assert.match(refusal(['--lease-duration', '15']).message, /--lease-duration: "15" is not a duration/);
    assert.match(refusal(['--address', 'host']).message, /--address: "host" is not an address/);
    assert.match(refusal(['--reboot-command', 'reboot']).message, /JSON array/);
    assert.match(refusal(['--workers', '-1']).message, /workers/);
  });

  it('explain themselves', () => {
    const { code, message } = refusal(['--help']);
    assert.equal(code, 'help');
    assert.match(message, /--lease-duration TIME +How long. \(default 15s\)/);
    assert.match(message, /--node-name NAME +Which node. \(env NODE_NAME\)/);
  });
});
