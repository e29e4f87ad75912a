import type { ConfigDocument } from '#api/config-document.ts';
import type { Gap } from './rendered.ts';
import { hasValues, parseText } from './values.ts';

/** Where something of the node or a secret has to be filled in, found once for all nodes. */
export function gapsOf({ files }: ConfigDocument): Gap[] {
  return files.flatMap(({ content }, file): Gap[] => {
    if ('secret' in content) return [{ file, secret: content.secret }];
    if (!('text' in content) || !hasValues(content.text)) return [];
    return [{ file, template: parseText(content.text).template }];
  });
}
