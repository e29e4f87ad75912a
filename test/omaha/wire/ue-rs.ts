import type { Identity } from './request.ts';

const CLIENT = 'ue-rs-0.0.0';

/** A request as ue-rs writes it. It knows checks only, on demand, without ping or event, and no declaration. */
export function ueRsXml(identity: Identity): string {
  const sp = `${identity.version}_${identity.architecture}`;
  const app = [
    ['appid', identity.appID],
    ['version', identity.version],
    ['track', identity.track],
    ['machineid', identity.machineID],
  ] as const;
  const attributes = app.map(([name, value]) => `${name}="${escaped(value)}"`).join(' ');
  return (
    `<request protocol="3.0" version="${CLIENT}" updaterversion="${CLIENT}" installsource="ondemand" ismachine="1">` +
    `<os platform="CoreOS" version="Chateau" sp="${escaped(sp)}"/>` +
    `<app ${attributes}><updatecheck/></app></request>`
  );
}

const ESCAPES: Record<string, string> = {
  '"': '&quot;',
  "'": '&apos;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

function escaped(value: string): string {
  return value.replace(/["'&<>]/g, (character) => ESCAPES[character] ?? '');
}
