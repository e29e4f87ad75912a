/**
 * Arguments of GNU tar that make the same bytes of the same tree, whoever runs it, when and where. Modes are
 * kept: who makes the tree sets them (see `stage.ts`). `entries` are names in `directory`; without the `.` of the
 * directory itself, as container engines write layers.
 */
export function tarArguments(directory: string, entries: readonly string[]): string[] {
  const content = entries.length > 0 ? ['--', ...entries.toSorted(byBytes)] : ['--files-from=/dev/null'];
  return [
    '--create',
    '--format=posix',
    // A pax header would otherwise hold the times of access and change, and be named after tar's process.
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    '--sort=name',
    '--mtime=@0',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    `--directory=${directory}`,
    ...content,
  ];
}

/** The order does not depend on the language of the machine. */
function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
