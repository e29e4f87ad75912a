import type { AppAnswer, Manifest, OmahaResponse, Package, UpdateCheckAnswer } from './response.ts';

/** Of the name that the response gives of its server. */
const SERVER = 'careen';

/** What Nebraska's answer to a request that it cannot read consists of. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

/**
 * A response as the clients of the field read it: one line, no namespace (it would hide every element from
 * update_engine's paths), elements in Nebraska's order, none self-closing, `urls` there even when it is empty.
 * `flatcar-postinst` searches the text for further packages, so that the order of attributes counts as well.
 */
export function writeResponse({ apps }: OmahaResponse): string {
  const daystart = element('daystart', { elapsed_seconds: '0' });
  const inner = daystart + apps.map(writeApp).join('');
  return XML_DECLARATION + element('response', { protocol: '3.0', server: SERVER }, inner);
}

function writeApp({ appID, status, ping, updateCheck, events }: AppAnswer): string {
  const acknowledged = element('event', { status: 'ok' }).repeat(events);
  const inner =
    (ping ? element('ping', { status: 'ok' }) : '') +
    (updateCheck === undefined ? '' : writeUpdateCheck(updateCheck)) +
    acknowledged;
  return element('app', { appid: appID === '' ? undefined : appID, status }, inner);
}

function writeUpdateCheck({ status, pollSeconds, codebases, manifests }: UpdateCheckAnswer): string {
  const urls = element('urls', {}, codebases.map((codebase) => element('url', { codebase })).join(''));
  const inner = urls + manifests.map(writeManifest).join('');
  return element('updatecheck', { PollInterval: pollSeconds?.toFixed(0), status }, inner);
}

function writeManifest(manifest: Manifest): string {
  const action = element('action', {
    event: 'postinstall',
    sha256: manifest.sha256,
    DisablePayloadBackoff: manifest.disablePayloadBackoff ? 'true' : undefined,
  });
  const packages = element('packages', {}, manifest.packages.map(writePackage).join(''));
  const attributes = {
    version: manifest.version,
    is_floor: manifest.isFloor === true ? 'true' : undefined,
    floor_reason: manifest.floorReason,
    is_target: manifest.isTarget === true ? 'true' : undefined,
  };
  return element('manifest', attributes, packages + element('actions', {}, action));
}

function writePackage({ name, sha1, sha256, size, required }: Package): string {
  return element('package', {
    name,
    hash: sha1,
    hash_sha256: sha256,
    size: size.toFixed(0),
    required: String(required),
  });
}

function element(name: string, attributes: Record<string, string | undefined>, inner = ''): string {
  let open = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) open += ` ${key}="${escape(value)}"`;
  }
  return `${open}>${inner}</${name}>`;
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

/** As Go's encoder escapes, which wrote what the clients in the field have seen so far. */
function escape(value: string): string {
  return value.replace(
    /[&<>"'\t\n\r]|[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu,
    (found) => ESCAPES[found] ?? '\uFFFD',
  );
}
