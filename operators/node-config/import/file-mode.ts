import type { Cursor } from './cursor.ts';

export interface Mode {
  mode: string;
  allowSpecialBits?: true;
}

/** JSON knows no octal numbers, so Ignition writes 420 for 0644. */
export function decimalMode(cursor: Cursor): Mode | undefined {
  const written = cursor.written();
  if (written === undefined) return undefined;
  const { text, quoted } = written;
  if (quoted || !/^(0|[1-9][0-9]*)$/.test(text))
    return cursor.refuse('is no mode; Ignition writes 0644 as 420, in decimal');
  const mode = modeOf(Number(text));
  if (mode === undefined) return cursor.refuse('is more than 4095, which is 7777 in octal');
  if (mode.allowSpecialBits && /^[0-7]{3}$/.test(text)) {
    return cursor.refuse(
      `is decimal and means ${mode.mode} in octal; write ${Number.parseInt(text, 8)} for 0${text}`,
    );
  }
  return mode;
}

/** YAML for people: 0644, 0o644 or "0644". */
export function octalMode(cursor: Cursor): Mode | undefined {
  const written = cursor.written();
  if (written === undefined) return undefined;
  const { text, quoted } = written;
  const octal =
    /^0o?([0-7]{1,4})$/.exec(text)?.[1] ?? (quoted ? /^([0-7]{3,4})$/.exec(text)?.[1] : undefined);
  if (octal !== undefined) return modeOf(Number.parseInt(octal, 8));
  return cursor.refuse('is no mode; write it in octal, such as 0644');
}

export function modeOf(bits: number): Mode | undefined {
  if (bits > 0o7777) return undefined;
  const mode = bits.toString(8).padStart(4, '0');
  return bits > 0o777 ? { mode, allowSpecialBits: true } : { mode };
}
