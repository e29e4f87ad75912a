import type { Limits } from '../../decision.ts';
import { MINUTE } from '../machines.ts';
import type { Command, Saying } from './command.ts';

export const SILENT_MS = 1440 * MINUTE;

interface ModelMachine {
  group: string;
  version: string;
  phase: string;
  outcome?: 'pending' | 'failed' | undefined;
  grant?: { version: string; deadline: number } | undefined;
  lastSeen: number;
  archived: boolean;
}

interface Place {
  heldHere: ModelMachine['grant'];
  /** The machine comes from another group. */
  moved: boolean;
}

/** The store as one would write it without a database: lists that are counted each time. */
export class Model {
  readonly machines = new Map<number, ModelMachine>();
  readonly nodes = new Map<string, number>();
  readonly starts: { group: string; at: number }[] = [];

  /** What is to be seen of a command's end. */
  apply(command: Command, now: number): unknown {
    if (command.do === 'hold') return this.#hold(command, now);
    const before = this.machines.get(command.id);
    const heldHere = before?.group === command.group ? before.grant : undefined;
    // A failure goes to another group with its machine only once the machine is there.
    const moved = before !== undefined && before.group !== command.group;
    const machine = this.#sight(command, before, now);
    this.machines.set(command.id, machine);
    const full = this.#say(machine, command.saying, { heldHere, moved }, now);
    return [machine.phase, machine.grant?.version, full];
  }

  sweep(now: number): void {
    for (const machine of this.machines.values()) {
      const isSilent = machine.lastSeen < now - SILENT_MS && !machine.archived;
      if (machine.grant !== undefined && (machine.grant.deadline < now || isSilent)) {
        Object.assign(machine, { phase: 'Failed', grant: undefined });
        if (machine.outcome === 'pending') machine.outcome = 'failed';
      }
      if (!isSilent) continue;
      machine.archived = true;
      if (machine.outcome === 'pending') machine.outcome = 'failed';
    }
  }

  inProgress(group: string): number {
    return this.#in(group).filter(({ grant }) => grant !== undefined).length;
  }

  #in(group: string): ModelMachine[] {
    return [...this.machines.values()].filter((machine) => machine.group === group);
  }

  #sight(
    { group, version }: Command & { do: 'contact' },
    before: ModelMachine | undefined,
    now: number,
  ): ModelMachine {
    if (before === undefined) return { group, version, phase: 'Idle', lastSeen: now, archived: false };
    return { ...before, group, version, lastSeen: now, archived: false };
  }

  #say(machine: ModelMachine, saying: Saying, place: Place, now: number): string | undefined {
    if (saying.say === 'offer') return this.#offer(machine, saying, place, now);
    if (saying.say === 'complete') Object.assign(machine, { phase: 'Complete', grant: undefined });
    if (saying.say === 'fail')
      Object.assign(machine, { phase: 'Failed', grant: undefined, outcome: 'failed' });
    if (saying.say === 'download') machine.phase = 'Downloading';
    if (saying.say === 'release' && machine.grant !== undefined) {
      Object.assign(machine, { phase: 'Idle', grant: undefined });
    }
    return undefined;
  }

  #offer(
    machine: ModelMachine,
    { version, limits }: Saying & { say: 'offer' },
    { heldHere, moved }: Place,
    now: number,
  ): string | undefined {
    const grant = { version, deadline: now + 60 * MINUTE };
    const isSame = heldHere?.version === version;
    const full = isSame
      ? undefined
      : this.#full(machine, limits, { holds: heldHere !== undefined, moved }, now);
    machine.outcome = 'pending';
    if (full !== undefined) Object.assign(machine, { phase: 'Waiting', grant: undefined });
    else if (!isSame) {
      Object.assign(machine, { phase: 'Granted', grant });
      this.starts.push({ group: machine.group, at: now });
    } else if (!['Granted', 'Downloading'].includes(machine.phase))
      Object.assign(machine, { phase: 'Granted', grant });
    else machine.grant = grant;
    return full;
  }

  /** `machine` is in its new group already, with what it was before. */
  #full(
    machine: ModelMachine | undefined,
    limits: Limits,
    { holds, moved }: { holds: boolean; moved: boolean },
    now: number,
    group = machine?.group ?? '',
  ) {
    const { period, failures, inProgress } = limits;
    const others = this.#in(group).filter((one) => one !== machine);
    const failed = (moved ? others : this.#in(group)).filter(({ outcome }) => outcome === 'failed').length;
    if (failures !== undefined && failed >= failures.count) return 'failures';
    const held = others.filter(({ grant }) => grant !== undefined).length + (this.nodes.get(group) ?? 0);
    if (!holds && held + 1 > inProgress) return 'inProgress';
    const since = now - (period?.ms ?? 0);
    const started = this.starts.filter((start) => start.group === group && start.at > since).length;
    return period !== undefined && started >= period.count ? 'period' : undefined;
  }

  #hold({ group, held, more, limits }: Command & { do: 'hold' }, now: number): number {
    this.nodes.set(group, held);
    let given = 0;
    for (
      ;
      given < more && this.#full(undefined, limits, { holds: false, moved: false }, now, group) === undefined;
      given += 1
    ) {
      this.nodes.set(group, held + given + 1);
      this.starts.push({ group, at: now });
    }
    return given;
  }
}
