import type { Cursor } from '../cursor.ts';
import { checked, type Sections } from '../spec.ts';
import { substituted } from './substitutions.ts';

type Unit = NonNullable<Sections['units']>[number];

const FIELDS = ['name', 'enable', 'content', 'command', 'mask', 'drop_ins'] as const;
const BEYOND = { runtime: 'a unit that is gone after the next boot is not made; leave it out' };

/** A changed unit that runs is restarted anyway, so that "restart" is no more than "runs". */
const COMMANDS: Readonly<Record<string, 'Started' | 'Stopped'>> = {
  start: 'Started',
  restart: 'Started',
  'reload-or-restart': 'Started',
  stop: 'Stopped',
};

/** One of `coreos.units`. */
export function readUnits(at: Cursor): Unit | undefined {
  const { name, enable, content, command, mask, drop_ins: dropins } = at.fields(FIELDS, BEYOND);
  const masked = mask?.flag() === true;
  const unit = {
    name: name?.text() ?? at.refuse('has no name') ?? '',
    ...(content && !masked && { contents: substituted(content, content.text() ?? '') }),
    ...(dropins && !masked && { dropins: dropins.items().map(readDropin) }),
    ...(enable && !masked && { enabled: enable.flag() ?? false }),
    ...(command && stateOf(command)),
    ...(masked && { mask: true }),
  };
  return checked(at, { units: [unit] })?.units[0];
}

function readDropin(at: Cursor) {
  const { name, content } = at.fields(['name', 'content']);
  return {
    name: name?.text() ?? '',
    contents: content === undefined ? '' : substituted(content, content.text() ?? ''),
  };
}

function stateOf(command: Cursor) {
  const text = command.text() ?? '';
  const state = COMMANDS[text];
  return state === undefined
    ? command.refuse(`"${text}" is no lasting wish; there are start and stop`)
    : { state };
}
