import type { ConfigDocument } from '#api/config-document.ts';
import { sysctlsIn } from '#api/sysctl-name.ts';

/** Where systemd-sysctl reads what a configuration may have written (sysctl.d(5)). */
const FILES = /^\/etc\/sysctl\.(d\/[^/]+\.)?conf$/;

/** Names, with slashes, of all settings that a document makes; those of patterns are not known before they are made. */
export function wantedSysctls({ files }: Pick<ConfigDocument, 'files'>): string[] {
  const texts = files.flatMap(({ path, content }) => (FILES.test(path) ? textOf(content) : []));
  const keys = texts.flatMap((text) => [...sysctlsIn(text).keys()]);
  return [...new Set(keys.filter((key) => isPlain(key)))].toSorted();
}

function textOf(content: ConfigDocument['files'][number]['content']): string[] {
  if ('text' in content) return [content.text];
  return 'base64' in content ? [Buffer.from(content.base64, 'base64').toString('utf8')] : [];
}

/** Nothing but a path below /proc/sys. */
function isPlain(key: string): boolean {
  return key.length <= 256 && key.split('/').every((part) => !['', '.', '..'].includes(part));
}
