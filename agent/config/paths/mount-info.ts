/** A line of proc_pid_mountinfo(5), as far as it matters here. */
export interface Mount {
  id: number;
  point: string;
  fsType: string;
  readOnly: boolean;
  /** Options of the file system itself. */
  superOptions: readonly string[];
}

export function parseMountInfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const fields = line.split(' ');
    const dash = fields.indexOf('-', 6);
    if (dash < 0) return [];
    const superOptions = (fields[dash + 3] ?? '').split(',');
    const options = (fields[5] ?? '').split(',');
    return [
      {
        id: Number(fields[0]),
        point: unescaped(fields[4] ?? ''),
        fsType: fields[dash + 1] ?? '',
        readOnly: options.includes('ro') || superOptions.includes('ro'),
        superOptions,
      },
    ];
  });
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(parseInt(octal, 8)));
}
