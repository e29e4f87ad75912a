/** What the deadman's units need to know. Paths are the host's. */
export interface DeadmanPlan {
  /** PARTUUID of the slot on trial. */
  partUUID: string;
  /** How long after the boot it fires. */
  firesMs: number;
  /** How often it may fire at all. */
  tries: number;
  /** Directory of its tokens: each time it fires it uses up one. */
  tokens: string;
}

export const TIMER = 'careen-deadman.timer';
export const SERVICE = 'careen-deadman.service';

/** Words of the kernel's command line that name the slot that runs, as find-disk.ts reads them. */
const KEYS = ['mount.usr', 'verity.usr', 'usr', 'root'];
/** What a path or an ID may be made of to stand in a unit and in a shell's word without being anything else. */
const PLAIN = /^[A-Za-z0-9/._-]+$/;

/**
 * The deadman's timer and service; bounded, and the same for every trial but for the slot and the time.
 *
 * Three things must hold for it to act. The slot on trial runs: in the old slot it is inert. It has a token left:
 * the agent takes them away when it has judged the slot, and the deadman itself uses up one before it reboots, so
 * that it reboots at most as often as the bootloader tries the slot, whatever became of the agent and its files.
 * And its shell could remove that token: on a disk that cannot be written it does nothing, rather than that for ever.
 *
 * It does not ask logind: a machine whose agent never ran has nobody else to overrule a forgotten lock. Units are
 * stopped in order all the same.
 */
export function deadmanUnits(plan: DeadmanPlan): { timer: string; service: string } {
  const { partUUID, firesMs, tries, tokens } = plan;
  if (!PLAIN.test(partUUID) || !PLAIN.test(tokens))
    throw new RangeError(`${partUUID} or ${tokens} is not plain`);
  const conditions = [
    `ConditionPathExistsGlob=${tokens}/*`,
    `RequiresMountsFor=${tokens}`,
    // One of these must hold; which of them names the slot, and how, is the boot loader's.
    ...KEYS.flatMap((key) =>
      spellings(partUUID).map((uuid) => `ConditionKernelCommandLine=|${key}=PARTUUID=${uuid}`),
    ),
  ];
  const useUp = tokenNames(tries).map((name) => `rm ${tokens}/${name}`);
  return {
    timer: unit('how long a system on trial may run unjudged', conditions, [
      '[Timer]',
      `OnBootSec=${Math.ceil(firesMs / 1000)}s`,
      'AccuracySec=1s',
    ]),
    service: unit(
      'reboot out of a system on trial that nobody judged',
      [...conditions, 'SuccessAction=reboot'],
      ['[Service]', 'Type=oneshot', `ExecStart=/bin/sh -c "${useUp.join(' || ')}"`],
    ),
  };
}

/** File names of the tokens of a fresh deadman. */
export function tokenNames(tries: number): string[] {
  return Array.from({ length: tries }, (_, index) => String(index + 1));
}

function unit(description: string, head: readonly string[], body: readonly string[]): string {
  const lines = ['# Written by the agent of Careen before a reboot, and removed by it after.', '[Unit]'];
  return [...lines, `Description=Careen: ${description}`, ...head, '', ...body, ''].join('\n');
}

function spellings(uuid: string): string[] {
  return [...new Set([uuid.toLowerCase(), uuid.toUpperCase()])];
}
