import { styleText } from 'node:util';
import { clip, header } from '../picture.ts';
import type { OmahaScene, Population } from './scene.ts';

const NAME = 30;
const COLUMN = 11;
const BAR = 40;

/** The scene as lines of a terminal, `columns` wide. */
export function renderOmaha(scene: OmahaScene, columns: number): string[] {
  const width = Math.max(80, columns);
  const versions = versionsOf(scene.populations);
  const { now, worst } = scene.away;
  return [
    header(scene, width),
    '',
    styleText('dim', ` ${cells(['', ...versions, 'UNDER WAY', 'AWAY'])}`),
    ...scene.populations.map((one) => row(one, versions)),
    '',
    ...scene.populations.map((one) => bar(one, versions)),
    '',
    ` away         ${now} now, ${worst} at most, of both kinds together; ${scene.budget} may be`,
    ...scene.waiting.map((line, index) =>
      clip(` ${index === 0 ? 'waiting' : '       '}      ${line}`, width),
    ),
    ...(scene.halted === undefined
      ? []
      : [styleText('red', ` halted       ${clip(scene.halted, width - 14)}`)]),
  ];
}

function versionsOf(populations: readonly Population[]): string[] {
  const all = new Set(populations.flatMap(({ versions }) => Object.keys(versions)));
  return [...all].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
}

function row({ name, total, versions, underWay, away }: Population, shown: readonly string[]): string {
  const counts = shown.map((version) => String(versions[version] ?? 0));
  return ` ${cells([`${total} ${name}`, ...counts, String(underWay), String(away)])}`;
}

/** One stretch for each version, the newest last. */
function bar({ name, total, versions }: Population, shown: readonly string[]): string {
  const marks = ['░', '▒', '█', '▓'];
  const stretches = shown.map((version, index) => {
    const length = Math.round(((versions[version] ?? 0) / Math.max(1, total)) * BAR);
    return (marks[index % marks.length] ?? '█').repeat(length);
  });
  return ` ${name.padEnd(NAME)}${stretches.join('')}`;
}

function cells([first = '', ...others]: readonly string[]): string {
  return first.padEnd(NAME) + others.map((cell) => cell.padEnd(COLUMN)).join('');
}
