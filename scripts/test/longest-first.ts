/** Files that take minutes, by their paths from the root. */
export const LONGEST = [
  'test/nodes/power.nodes.test.ts',
  'test/nodes/host.nodes.test.ts',
  'test/nodes/cut-off.nodes.test.ts',
  'test/nodes/story.nodes.test.ts',
  'test/nodes/operators.nodes.test.ts',
  'test/nodes/blocked.nodes.test.ts',
];

/** Puts what takes longest to the front; everything else stays in its order. */
export function longestFirst(files: readonly string[]): string[] {
  return [
    ...LONGEST.filter((file) => files.includes(file)),
    ...files.filter((file) => !LONGEST.includes(file)),
  ];
}
