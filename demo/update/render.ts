import { styleText } from 'node:util';
import type { SlotStatus } from '#api/node-state.ts';
import { clip, header } from '../picture.ts';
import type { MachineView, Scene } from './scene.ts';

/** The scene as lines of a terminal, `columns` wide. */
export function render(scene: Scene, columns: number): string[] {
  const width = Math.max(80, columns);
  const systemd = scene.machines.some((machine) => machine.systemd !== undefined) ? COLUMNS.systemd : 0;
  return [
    header(scene, width),
    '',
    heading(systemd),
    ...scene.machines.map((machine) => row(machine, width, systemd)),
    '',
    leaders(scene),
    places(scene),
    pods(scene),
    ...(scene.halted === undefined
      ? []
      : [styleText('red', ` halted       ${clip(scene.halted, width - 14)}`)]),
  ];
}

const COLUMNS = { name: 12, runs: 8, systemd: 9, slot: 17, phase: 24 };

function heading(systemd: number): string {
  const { name, runs, slot, phase } = COLUMNS;
  const text = ` ${'MACHINE'.padEnd(name)}${'RUNS'.padEnd(runs)}${'SYSTEMD'.padEnd(systemd).slice(0, systemd)}${'USR-A'.padEnd(slot)}${'USR-B'.padEnd(slot)}${'PHASE'.padEnd(phase)}WHY`;
  return styleText('dim', text);
}

/** `systemd` is the width of that column: 0 where the machines have none. */
function row(machine: MachineView, width: number, systemd: number): string {
  const slots = ['USR-A', 'USR-B'].map((name) => slotText(machine.slots.find((slot) => slot.name === name)));
  const fixed = 1 + COLUMNS.name + COLUMNS.runs + systemd + 2 * COLUMNS.slot + COLUMNS.phase;
  const line = [
    machine.holdsPlace ? styleText('yellow', '●') : ' ',
    machine.name.padEnd(COLUMNS.name),
    machine.runs.padEnd(COLUMNS.runs),
    (machine.systemd ?? '').padEnd(systemd),
    ...slots.map((text) => text.padEnd(COLUMNS.slot)),
    phaseText(machine).padEnd(COLUMNS.phase),
  ].join('');
  const why = clip(machine.why, Math.max(10, width - fixed - 1));
  return (
    (machine.available ? line : styleText('dim', line)) +
    styleText(machine.holdsPlace ? 'yellow' : 'dim', why)
  );
}

/** `▶1.0.0 2/0 good`: priority/tries as the firmware reads them; ▶ runs now, ★ is what the firmware takes next. */
export function slotText(slot: SlotStatus | undefined): string {
  if (slot === undefined) return '–';
  const mark = slot.booted ? '▶' : slot.next ? '★' : ' ';
  const good = slot.successful ? ' good' : '';
  return `${mark}${slot.version ?? '–'} ${slot.priority}/${slot.tries}${good}`;
}

const BAR = 10;

function phaseText({ phase, progress }: MachineView): string {
  if (progress === undefined) return phase;
  const done = Math.round(progress * BAR);
  return `${phase} ${'█'.repeat(done)}${'░'.repeat(BAR - done)} ${Math.round(progress * 100)}%`;
}

function leaders(scene: Scene): string {
  const where = scene.leaders.map(
    ({ operator, node }) => `${operator.replace('careen-', '')} on ${node ?? '?'}`,
  );
  return ` leaders      ${where.join(', ') || 'none yet'}`;
}

function places({ places: { max, holders } }: Scene): string {
  return ` reboot lock  ${holders.length} of ${max} places taken${holders.length === 0 ? '' : `: ${holders.join(', ')}`}`;
}

function pods({ pods: { ready, wanted, budget }, unavailable: { now, worst } }: Scene): string {
  return ` workload     ${ready} of ${wanted} pods ready, budget asks for ${budget} · nodes unavailable: ${now} now, ${worst} at most`;
}
