import { configDocument } from '#api/config-document.ts';
import type { ConfigDocument, DocumentDirectory, DocumentFile, DocumentLink } from '#api/config-document.ts';

interface Parts {
  files?: DocumentFile[];
  directories?: DocumentDirectory[];
  links?: DocumentLink[];
  validate?: ConfigDocument['validate'];
}

/** A document that wants these files and nothing else. */
export function documentOf({
  files = [],
  directories = [],
  links = [],
  validate = [],
}: Parts): ConfigDocument {
  return configDocument.parse({
    schema: 1,
    files,
    directories,
    links,
    validate,
    units: [],
    authorizedKeys: [],
    kernelArguments: { add: [], remove: [] },
    disruption: [],
    probes: [],
    confirm: { timeout: '5m', settle: '20s' },
  });
}

export function file(path: string, text: string, more: Partial<DocumentFile> = {}): DocumentFile {
  const common = { mode: '0644', user: 'root', group: 'root', from: ['test'] };
  return { path, content: { text }, onRemove: 'Restore', drift: 'Heal', ...common, ...more };
}

export function directory(path: string, more: Partial<DocumentDirectory> = {}): DocumentDirectory {
  const common = { mode: '0755', user: 'root', group: 'root', from: ['test'] };
  return { path, onRemove: 'Delete', drift: 'Heal', ...common, ...more };
}

export function link(path: string, target: string, more: Partial<DocumentLink> = {}): DocumentLink {
  return { path, target, onRemove: 'Restore', drift: 'Heal', from: ['test'], ...more };
}
