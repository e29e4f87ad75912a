import type { Identity, OmahaEvent, Purpose } from './request.ts';

/** A request as programs on go-omaha write it: encoding/xml, on one line, empty and zero values left out. */
export function goOmahaXml(identity: Identity, purpose: Purpose): string {
  const session = identity.bootID.replace(/[{}]/g, '');
  const request = attributes({
    protocol: '3.0',
    userid: identity.machineID,
    sessionid: session,
    version: 'go-omaha',
  });
  const app = attributes({
    appid: identity.appID,
    version: identity.version,
    track: identity.track,
    bootid: session,
    machineid: identity.machineID,
    oem: identity.oem,
  });
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<request${request}><os platform="linux" arch="${goArchitecture(identity)}"></os>` +
    `<app${app}>${appBody(purpose)}</app></request>`
  );
}

/** In the order of go-omaha's struct, which encoding/xml keeps. */
const ORDER = [
  'protocol',
  'sessionid',
  'userid',
  'appid',
  'version',
  'track',
  'bootid',
  'machineid',
  'oem',
] as const;

function attributes(values: Partial<Record<(typeof ORDER)[number], string>>): string {
  const present = ORDER.filter((name) => (values[name] ?? '') !== '');
  return present.map((name) => ` ${name}="${escaped(values[name] ?? '')}"`).join('');
}

function appBody(purpose: Purpose): string {
  const ping = '<ping active="1"></ping>';
  switch (purpose.kind) {
    case 'ping':
      return ping;
    case 'event':
      return eventXml(purpose.event);
    case 'check': // its check always says 3/2, and never from which version
      return `${ping}<updatecheck></updatecheck>${eventXml({ type: 3, result: 2 })}`;
  }
}

function eventXml({ type, result, errorCode = 0 }: OmahaEvent): string {
  const code = errorCode === 0 ? '' : ` errorcode="${errorCode}"`;
  return `<event eventtype="${type}" eventresult="${result}"${code}></event>`;
}

function goArchitecture({ architecture }: Identity): string {
  return architecture === 'aarch64' ? 'arm' : 'x64';
}

const ESCAPES: Record<string, string> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
};

function escaped(value: string): string {
  return value.replace(/["'&<>\t\n\r]/g, (character) => ESCAPES[character] ?? '');
}
