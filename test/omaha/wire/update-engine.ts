import type { Identity, OmahaEvent, Purpose } from './request.ts';

const CLIENT = 'update_engine-0.4.10';

/** A request as update_engine 0.4.10 writes it, byte by byte: order, indents, the blank before `>` of an app. */
export function updateEngineXml(identity: Identity, purpose: Purpose): string {
  const interactive = purpose.kind === 'check' && purpose.interactive;
  const sp = `${identity.version}_${identity.architecture}`;
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<request protocol="3.0" version="${CLIENT}" updaterversion="${CLIENT}" ` +
    `installsource="${interactive ? 'ondemandupdate' : 'scheduler'}" ismachine="1">\n` +
    `    <os version="Chateau" platform="CoreOS" sp="${encoded(sp)}"></os>\n` +
    `    <app ${appAttributes(identity)} >\n${appBody(purpose)}    </app>\n` +
    '</request>\n'
  );
}

function appAttributes(identity: Identity): string {
  const attributes = [
    ['appid', identity.appID],
    ['version', identity.version],
    ['track', identity.track],
    ['bootid', identity.bootID],
    ['oem', identity.oem],
    ['oemversion', identity.oemVersion],
    ['alephversion', identity.alephVersion],
    ['machineid', identity.machineID],
    ['machinealias', identity.machineAlias],
    ['lang', 'en-US'],
    ['board', identity.board],
    ['hardware_class', ''],
    ['delta_okay', 'false'],
  ] as const;
  return attributes.map(([name, value]) => `${name}="${encoded(value)}"`).join(' ');
}

function appBody(purpose: Purpose): string {
  const ping = '        <ping active="1"></ping>\n';
  switch (purpose.kind) {
    case 'ping':
      return ping;
    case 'event':
      return eventXml(purpose.event);
    case 'check':
      return `${ping}        <updatecheck></updatecheck>\n${eventXml(purpose.event)}`;
  }
}

function eventXml({ type, result, errorCode, previousVersion }: OmahaEvent): string {
  const code = errorCode === undefined ? '' : ` errorcode="${errorCode}"`;
  const previous = previousVersion === undefined ? '' : ` previousversion="${encoded(previousVersion)}"`;
  return `        <event eventtype="${type}" eventresult="${result}"${code}${previous}></event>\n`;
}

/**
 * libxml2's xmlEncodeEntitiesReentrant without a document: everything beyond ASCII becomes a reference, and a
 * quotation mark stays as it is. A value with one therefore breaks the request, which real machines do send.
 */
function encoded(value: string): string {
  return Array.from(value, encodedCharacter).join('');
}

function encodedCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (character === '<') return '&lt;';
  if (character === '>') return '&gt;';
  if (character === '&') return '&amp;';
  if (code >= 0x80) return `&#x${code.toString(16).toUpperCase()};`;
  return code >= 0x20 || character === '\n' || character === '\t' ? character : `&#${code};`;
}
