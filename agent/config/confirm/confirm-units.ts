export const TIMER = 'careen-confirm.timer';
export const SERVICE = 'careen-confirm.service';
export const BOOT_SERVICE = 'careen-confirm-boot.service';

/** What a path may be made of to stand in a unit without being anything else. */
const PLAIN = /^[A-Za-z0-9/._-]+$/;

export interface ConfirmUnits {
  timer: string;
  service: string;
  boot: string;
}

/**
 * The timer counts from when it is started, and in each boot anew: a change that needs a reboot is confirmed after
 * it. The service for boots comes as soon as the disk is there, before the network and the kubelet read a file that
 * is to be undone. Without the script all three do nothing.
 */
export function confirmUnits(directory: string, timeoutMs: number): ConfirmUnits {
  if (!PLAIN.test(directory)) throw new RangeError(`${directory} is not plain`);
  const conditions = [`ConditionPathExists=${directory}/undo.sh`, `RequiresMountsFor=${directory}`];
  return {
    timer: unit('how long a change of the configuration may stand unconfirmed', conditions, [
      '[Timer]',
      `OnActiveSec=${Math.ceil(timeoutMs / 1000)}s`,
      'AccuracySec=1s',
      `Unit=${SERVICE}`,
    ]),
    service: unit('undo a change of the configuration that nobody confirmed', conditions, [
      ...runs(directory, 'timer'),
    ]),
    boot: unit(
      'undo a change of the configuration that did not survive its boots',
      [
        ...conditions,
        'DefaultDependencies=no',
        'After=local-fs.target systemd-remount-fs.service',
        'Before=sysinit.target network-pre.target containerd.service crio.service kubelet.service',
        'Conflicts=shutdown.target',
        'Before=shutdown.target',
      ],
      runs(directory, 'boot'),
    ),
  };
}

function runs(directory: string, word: 'timer' | 'boot'): string[] {
  return [
    '[Service]',
    'Type=oneshot',
    `ExecStart=/bin/sh ${directory}/undo.sh ${word}`,
    'TimeoutStartSec=15min',
  ];
}

function unit(description: string, head: readonly string[], body: readonly string[]): string {
  const lines = ['# Written by the agent of Careen before a change, and removed by it after.', '[Unit]'];
  return [...lines, `Description=Careen: ${description}`, ...head, '', ...body, ''].join('\n');
}
