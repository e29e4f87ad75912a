import type { ActionStep } from '../actions/steps.ts';
import type { Unconfirmed } from './confirm.ts';
import { shellQuoted } from '../shell-quoted.ts';

/** A unit may hang; the others are not to wait for it. */
const LIMIT = 'timeout 120';
const ALWAYS_RUN = ['systemd-sysctl.service', 'systemd-modules-load.service'];

/**
 * The script that the host runs: with the word `timer` when the time is up, with `boot` early in each boot. Each boot
 * uses up one of the files in `boots`; with none left the change is undone. Nothing has started then that would have
 * to be restarted, but systemd has read the units already.
 */
export function undoScript({ files, undo }: Unconfirmed, directory: string): string {
  const lines = [
    '#!/bin/sh',
    '# Written by the agent of Careen before a change of the configuration, and removed by it after.',
    `if [ "$1" = boot ]; then`,
    `  for left in ${directory}/boots/*; do`,
    '    [ ! -e "$left" ] || { rm "$left" && sync && exit 0; }',
    '  done',
    'fi',
    ...files,
    ...undo.flatMap((step) => always(step)),
    'systemctl daemon-reload',
    `if [ "$1" = boot ]; then`,
    ...indented(['systemctl --no-block restart systemd-sysctl.service']),
    'else',
    ...indented(undo.flatMap((step) => running(step))),
    'fi',
    'exit 0',
  ];
  return `${lines.join('\n')}\n`;
}

/** What is on the disk besides the files. */
function always({ do: what, unit = '', to = '' }: ActionStep): string[] {
  // systemctl refuses to disable a unit whose file is gone; this is what it would do.
  if (what === 'disable')
    return [
      `rm -f /etc/systemd/system/*.wants/${shellQuoted(unit)} /etc/systemd/system/*.requires/${shellQuoted(unit)}`,
    ];
  if (what === 'enable') return [`systemctl --no-reload enable ${shellQuoted(unit)}`];
  if (what === 'hostname') return [`echo ${shellQuoted(to)} >/proc/sys/kernel/hostname`];
  return [];
}

function running({ do: what, unit = '', ran, key, to }: ActionStep): string[] {
  if (key !== undefined && to !== undefined)
    return [`echo ${shellQuoted(to)} >${shellQuoted(`/proc/sys/${key}`)}`];
  const verb = VERBS[what];
  if (verb === undefined) return [];
  const mustRun = what === 'restart' && (ran === true || ALWAYS_RUN.includes(unit));
  const word = mustRun ? 'restart' : verb;
  return [
    `systemctl reset-failed ${shellQuoted(unit)} 2>/dev/null`,
    `${LIMIT} systemctl ${word} ${shellQuoted(unit)}`,
  ];
}

const VERBS: Partial<Record<ActionStep['do'], string>> = {
  stop: 'stop',
  start: 'start',
  restart: 'try-restart',
  reload: 'try-reload-or-restart',
};

function indented(lines: readonly string[]): string[] {
  return lines.length === 0 ? ['  :'] : lines.map((line) => `  ${line}`);
}
