/** Bodies as clients send them, for tests. Written from what is known of the protocol, not with the code here. */

export const FLATCAR = '{e96281a6-d1af-4bde-9a0a-97b76e56dc57}';
export const MACHINE = '1d0c26ae9c2a4b0f8f1c6f0e2a3b4c5d';

export const PING = '<ping active="1"></ping>';
export const CHECK = '<updatecheck></updatecheck>';

/** `e(3,2)` with the version before: what every check of update_engine carries. */
export function previous(version: string): string {
  return `<event eventtype="3" eventresult="2" previousversion="${version}"></event>`;
}

export function event(type: number, result: number, errorCode?: number): string {
  const code = errorCode === undefined ? '' : ` errorcode="${errorCode}"`;
  return `<event eventtype="${type}" eventresult="${result}"${code}></event>`;
}

/** An app of update_engine, with attributes changed (undefined: left out). */
export function app(inner: string, changes: Record<string, string | undefined> = {}): string {
  const attributes: Record<string, string | undefined> = {
    appid: FLATCAR,
    version: '1.0.0',
    track: 'stable',
    bootid: '{6f3c6ad3-0f5e-4b5c-9a69-0b7a0c3c2f11}',
    oem: 'azure',
    oemversion: '2.9',
    alephversion: '1.0.0',
    machineid: MACHINE,
    machinealias: 'edge-17',
    lang: 'en-US',
    board: 'amd64-usr',
    hardware_class: '',
    delta_okay: 'false',
    ...changes,
  };
  const written = Object.entries(attributes).flatMap(([name, value]) =>
    value === undefined ? [] : [` ${name}="${value}"`],
  );
  return `<app${written.join('')}>${inner}</app>`;
}

/** A whole request of update_engine around some apps. */
export function request(apps: string, root = 'protocol="3.0"', installSource = 'scheduler'): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<request ${root} version="update_engine-0.4.10" updaterversion="update_engine-0.4.10" installsource="${installSource}" ismachine="1">
    <os version="Chateau" platform="CoreOS" sp="4081.2.0_x86_64"></os>
    ${apps}
</request>
`;
}
