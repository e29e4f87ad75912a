import type { NodeConfig } from '#api/kinds.ts';
import { nodeConfigSpec, type NodeConfigSpec } from '#api/node-config.ts';
import { Cursor } from '../import/cursor.ts';
import { IGNITION } from '../import/ignition/dialect.ts';
import { readIgnition } from '../import/ignition/read-ignition.ts';
import { Source, type Refused } from '../import/source.ts';
import type { Problem } from './rendered.ts';

/** A NodeConfig's spec, in which its Ignition document has become items of the spec's own sections. */
export function withIgnition({ metadata, spec }: NodeConfig): { spec: NodeConfigSpec; problems: Problem[] } {
  if (spec.ignition === undefined) return { spec, problems: [] };
  const { sections, refused } = read(spec.ignition);
  const problems = refused.map(({ what, line, message }): Problem => {
    return {
      config: metadata.name,
      reason: 'ConfigInvalid',
      place: `ignition: line ${line}: ${what}`,
      message,
    };
  });
  return problems.length > 0 ? { spec, problems } : { spec: joined(spec, sections), problems };
}

function read(text: string): {
  sections: Pick<NodeConfigSpec, keyof typeof LISTS | 'kernelArguments'>;
  refused: readonly Refused[];
} {
  const source = new Source(text);
  const [document] = source.documents;
  if (document === undefined && source.refused.length === 0) source.refuse('document', 0, 'is empty');
  const given = document === undefined ? {} : readIgnition(Cursor.of(source, document), IGNITION);
  const sections = nodeConfigSpec.safeParse({ nodeSelector: {}, ...given });
  for (const { path, message } of sections.error?.issues ?? []) source.refuse(path.join('.'), 0, message);
  for (const { path, allowSpecialBits } of sections.data?.files ?? []) {
    if (allowSpecialBits)
      source.refuse(
        path,
        0,
        'has setuid, setgid or sticky bit; give it among files with allowSpecialBits: true',
      );
  }
  return { sections: sections.data ?? nodeConfigSpec.parse({ nodeSelector: {} }), refused: source.refused };
}

const LISTS = { files: true, directories: true, links: true, units: true, sshAuthorizedKeys: true } as const;

/** Nothing is overruled: what both say differently is found like any other contradiction. */
function joined(spec: NodeConfigSpec, more: ReturnType<typeof read>['sections']): NodeConfigSpec {
  return {
    ...spec,
    files: [...spec.files, ...more.files],
    directories: [...spec.directories, ...more.directories],
    links: [...spec.links, ...more.links],
    units: [...spec.units, ...more.units],
    sshAuthorizedKeys: [...spec.sshAuthorizedKeys, ...more.sshAuthorizedKeys],
    kernelArguments: {
      add: [...spec.kernelArguments.add, ...more.kernelArguments.add],
      remove: [...spec.kernelArguments.remove, ...more.kernelArguments.remove],
    },
  };
}
