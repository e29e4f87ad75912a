import type { DocumentFile } from '#api/config-document.ts';
import type { PathValue } from './claims.ts';
import { strictest } from './drift.ts';
import { MODULES_FILE, SYSCTL_FILE } from './generated-paths.ts';
import type { Merged } from './merge.ts';
import { sysctlName } from '#api/sysctl-name.ts';
import { literal } from './values.ts';

type Section = Extract<PathValue, { kind: 'generated' }>['section'];

const HEAD = '# Made by careen of what NodeConfigs say; changes here are lost.\n';

/** The file of a section to which several configs may have added. */
export function generatedFile(section: Section, merged: Merged): DocumentFile {
  const { path, lines, owners } = section === 'sysctls' ? sysctls(merged) : modules(merged);
  const from = [...new Set(owners.map(({ owner }) => owner))].toSorted();
  return {
    path,
    content: { text: literal(HEAD + lines.map((line) => `${line}\n`).join('')) },
    mode: '0644',
    user: 'root',
    group: 'root',
    onRemove: 'Restore',
    drift: strictest(owners),
    ...(owners.some(({ critical }) => critical) && { critical: true }),
    from,
  };
}

/** What a file of the user's own already says is not said again, and what it overrules is not said at all. */
function sysctls({ sysctls: won, claims }: Merged) {
  const owners = claims.sysctls.filter(({ key, value }) => won.get(key)?.value === value);
  const keys = [...new Set(owners.map(({ key }) => key))].toSorted();
  return {
    path: SYSCTL_FILE,
    lines: keys.map((key) => `${sysctlName(key)} = ${won.get(key)?.value}`),
    owners,
  };
}

function modules({ modules: won, claims }: Merged) {
  return { path: MODULES_FILE, lines: [...won.keys()].toSorted(), owners: claims.modules };
}
