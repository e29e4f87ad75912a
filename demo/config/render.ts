import { styleText } from 'node:util';
import { clip, header } from '../picture.ts';
import type { ConfiguredMachine, ConfigScene } from './scene.ts';

const COLUMNS = { name: 12, phase: 12, inForce: 10, wanted: 10, drift: 7 };

/** The scene as lines of a terminal, `columns` wide. */
export function renderConfig(scene: ConfigScene, columns: number): string[] {
  const width = Math.max(80, columns);
  const { now, worst } = scene.unavailable;
  return [
    header(scene, width),
    '',
    heading(),
    ...scene.machines.map((machine) => row(machine, width)),
    '',
    ...scene.configs.map((line) => clip(` config       ${line}`, width)),
    ` nodes        unavailable: ${now} now, ${worst} at most`,
  ];
}

function heading(): string {
  const { name, phase, inForce, wanted, drift } = COLUMNS;
  const text = ` ${'MACHINE'.padEnd(name)}${'PHASE'.padEnd(phase)}${'HAS'.padEnd(inForce)}${'WANTED'.padEnd(wanted)}${'DRIFT'.padEnd(drift)}WHY`;
  return styleText('dim', text);
}

function row(
  { name, available, phase, inForce, wanted, drift, why }: ConfiguredMachine,
  width: number,
): string {
  const line = ` ${[
    name.padEnd(COLUMNS.name),
    phase.padEnd(COLUMNS.phase),
    inForce.padEnd(COLUMNS.inForce),
    wanted.padEnd(COLUMNS.wanted),
    String(drift).padEnd(COLUMNS.drift),
  ].join('')}`;
  const reason = styleText('dim', clip(why, Math.max(10, width - line.length - 1)));
  return (available ? line : styleText('dim', line)) + reason;
}
