import { durationMs, objectName } from '#api/fields.ts';
import type { Cursor } from '../cursor.ts';

/** What locksmith and update_engine were told, in the terms of NodeGroup and RebootWindow. */
export interface Reboots {
  strategy?: 'lock' | 'reboot' | 'off';
  channel?: string;
  window?: { start: string; duration: string };
}

const STRATEGIES: Readonly<Record<string, 'lock' | 'reboot' | 'off'>> = {
  'etcd-lock': 'lock',
  reboot: 'reboot',
  off: 'off',
};

const ETCD = 'is not needed: locks are in the API server';
const LOCKSMITH_BEYOND = {
  endpoint: ETCD,
  etcd_cafile: ETCD,
  etcd_certfile: ETCD,
  etcd_keyfile: ETCD,
  etcd_username: ETCD,
  etcd_password: ETCD,
  group: 'a RebootLock selects nodes by their labels',
};

export function readReboots(update: Cursor | undefined, locksmith: Cursor | undefined): Reboots {
  const { reboot_strategy: strategy, group } =
    update?.fields(['reboot_strategy', 'group'], {
      server: 'make an UpdateChannel of it, and name that as the group',
    }) ?? {};
  const { window_start: start, window_length: length } =
    locksmith?.fields(['window_start', 'window_length'], LOCKSMITH_BEYOND) ?? {};
  return {
    ...(strategy && strategyOf(strategy)),
    ...(group && channelOf(group)),
    ...((start ?? length) && windowOf(start, length)),
  };
}

function strategyOf(at: Cursor): Pick<Reboots, 'strategy'> {
  // YAML 1.1 takes a bare off for false.
  const { text = '' } = at.written() ?? {};
  const strategy = STRATEGIES[text === 'false' ? 'off' : text];
  return strategy === undefined
    ? (at.refuse(`"${text}" is no strategy; there are etcd-lock, reboot and off`) ?? {})
    : { strategy };
}

function channelOf(at: Cursor): Pick<Reboots, 'channel'> {
  const channel = at.text() ?? '';
  return objectName.safeParse(channel).success
    ? { channel }
    : (at.refuse('is no name of an UpdateChannel') ?? {});
}

function windowOf(start: Cursor | undefined, length: Cursor | undefined): Pick<Reboots, 'window'> {
  if (start === undefined || length === undefined) {
    return (start ?? length)?.refuse('a window needs window_start and window_length') ?? {};
  }
  const window = { start: startOf(start), duration: lengthOf(length) };
  return window.start === undefined || window.duration === undefined
    ? {}
    : { window: { start: window.start, duration: window.duration } };
}

/** locksmith took any case and one digit for the hour. */
function startOf(at: Cursor): string | undefined {
  const text = at.written()?.text.trim() ?? '';
  const [, day, hour = '', minute = ''] =
    /^(?:(sun|mon|tue|wed|thu|fri|sat) +)?(\d{1,2}):(\d{1,2})$/i.exec(text) ?? [];
  if (hour === '' || Number(hour) > 23 || Number(minute) > 59)
    return at.refuse(`"${text}" is no start; write "Thu 23:00" or "04:00"`);
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  return day === undefined ? time : `${day[0]?.toUpperCase()}${day.slice(1).toLowerCase()} ${time}`;
}

const LONGEST = 168 * 3_600_000;

/** Go also writes 1.5h; no span is finer than a second. */
function lengthOf(at: Cursor): string | undefined {
  const text = at.written()?.text ?? '';
  const whole = text.replace(/(\d+\.\d+)(h|m|s)/g, (_, amount: string, unit: string) => {
    return `${Math.round((Number(amount) * durationMs(`1${unit}`)) / 1000)}s`;
  });
  if (!/^([0-9]+(h|m|s|ms))+$/.test(whole) || durationMs(whole) <= 0 || durationMs(whole) > LONGEST) {
    return at.refuse(`"${text}" is no length; write 1h30m, at most 168h`);
  }
  return whole;
}
