import type { BuiltImage } from './build-images.ts';

/** What the images weigh: each as a registry stores it and a node fetches it, and what they have in common. */
export function sizeReport(images: readonly BuiltImage[]): string {
  const layers = images.map(({ archive }) => archive.layers);
  const [first = [], ...others] = layers;
  const shared = first.filter(({ digest }) =>
    others.every((all) => all.some((one) => one.digest === digest)),
  );
  const all = new Map(layers.flat().map(({ digest, size }) => [digest, size]));
  const lines = images.map(({ archive }) =>
    row(archive.name, sum(archive.layers.map(({ size }) => size)), archive.manifest.digest),
  );
  return [
    ...lines,
    row('shared layers', sum(shared.map(({ size }) => size)), shared.map(({ digest }) => digest).join(' ')),
    row('both together', sum([...all.values()])),
  ].join('\n');
}

function row(what: string, bytes: number, digest = ''): string {
  return `${what.padEnd(36)} ${(bytes / 1e6).toFixed(1).padStart(6)} MB  ${digest}`.trimEnd();
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
