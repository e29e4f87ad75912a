import type { ConfigDocument, DocumentFile } from '#api/config-document.ts';
import type { ConfigReason } from '#api/reasons.ts';
import type { Node } from '#api/meta.ts';
import { hostnameIn, hostnameProblem, isHostname } from './hostname.ts';
import type { Gap, KeyRef, Lookup, RenderedDocument } from './rendered.ts';
import { fillText } from './values.ts';

/** A rendered document with the values of one node and the bytes of secrets in it, or why that is not possible. */
export type Filled =
  | {
      ok: true;
      document: ConfigDocument;
      /** The document as canonical JSON. */
      json: string;
    }
  | {
      ok: false;
      reason: Extract<ConfigReason, 'ValueMissing' | 'SecretMissing' | 'ConfigInvalid'>;
      message: string;
    };

type Refusal = Extract<Filled, { ok: false }>;

export function fill({ document, json, gaps }: RenderedDocument, node: Node, secrets: Lookup): Filled {
  if (gaps.length === 0) return { ok: true, document, json };
  const files = [...document.files];
  for (const gap of gaps) {
    const file = files[gap.file];
    if (file === undefined) continue;
    const content = contentFor(gap, file, node, secrets);
    if ('ok' in content) return content;
    // The keys keep their order, so that the JSON stays canonical.
    files[gap.file] = { ...file, content };
  }
  return withHostname({ ...document, files });
}

function contentFor(
  gap: Gap,
  file: DocumentFile,
  node: Node,
  secrets: Lookup,
): { text: string } | { base64: string } | Refusal {
  if ('secret' in gap) return secretContent(gap.secret, file, secrets);
  const filled = fillText(gap.template, node);
  if ('text' in filled) return filled;
  return {
    ok: false,
    reason: 'ValueMissing',
    message: `node ${node.metadata.name} has no ${filled.missing}, which ${file.path} of ${file.from.join(' and ')} uses`,
  };
}

function secretContent(ref: KeyRef, file: DocumentFile, secrets: Lookup): { base64: string } | Refusal {
  const bytes = secrets(ref);
  if (bytes !== undefined) return { base64: Buffer.from(bytes).toString('base64') };
  const { namespace, name, key } = ref;
  return {
    ok: false,
    reason: 'SecretMissing',
    message: `key ${key} of Secret ${namespace}/${name}, the content of ${file.path} of ${file.from.join(' and ')}, cannot be read`,
  };
}

/** The name in use follows its file. */
function withHostname(document: ConfigDocument): Filled {
  if (document.hostname === undefined) return { ok: true, document, json: JSON.stringify(document) };
  const hostname = hostnameIn(document.files) ?? '';
  if (!isHostname(hostname))
    return { ok: false, reason: 'ConfigInvalid', message: `hostname: ${hostnameProblem(hostname)}` };
  const named = { ...document, hostname };
  return { ok: true, document: named, json: JSON.stringify(named) };
}
