/** Rows under headings, in columns as wide as their widest cell; the last column is not padded. */
export function textTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows];
  const widths = headings.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all
    .map((row) =>
      headings
        .map((_, column) => pad(row[column] ?? '', widths, column))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}

function pad(cell: string, widths: readonly number[], column: number): string {
  return column === widths.length - 1 ? cell : cell.padEnd(widths[column] ?? 0);
}
