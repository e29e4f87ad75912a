import { hash } from 'node:crypto';
import type { Architecture } from '#api/build.ts';
import type { OmahaSource } from '#api/channel-source.ts';

/** What a check says of us. */
export interface Check {
  source: OmahaSource;
  architecture: Architecture;
  /** The newest version that we know, or 0.0.0. */
  version: string;
  /** Of the UpdateChannel: the same as long as it lives. */
  uid: string;
}

/** What Nebraska's syncer calls itself: servers know by it that many floors may come in one answer. */
const CLIENT = 'CoreOSUpdateEngine-0.1.0.0';
const MACHINES = { amd64: 'x86_64', arm64: 'aarch64' } as const;

/**
 * A check as update_engine makes it. The machine id is a UUID in braces, as syncers have it and no machine has: servers
 * leave those out of what they count. It does not change while the channel lives.
 */
export function checkRequest({ source, architecture, version, uid }: Check): string {
  const machineID = uuidOf(`${uid}/${architecture}`);
  const app = [
    ['appid', source.appID],
    ['version', version],
    ['track', source.track],
    ['bootid', machineID],
    ['machineid', machineID],
    ['lang', 'en-US'],
    ['board', `${architecture}-usr`],
    ['hardware_class', ''],
    ['delta_okay', 'false'],
    ['multi_manifest_ok', 'true'],
  ] as const;
  const attributes = app.map(([name, value]) => `${name}="${escaped(value)}"`).join(' ');
  return (
    '<?xml version="1.0" encoding="UTF-8"?>\n' +
    `<request protocol="3.0" version="${CLIENT}" updaterversion="${CLIENT}" installsource="scheduler" ismachine="1">\n` +
    `    <os version="Chateau" platform="CoreOS" sp="${escaped(version)}_${MACHINES[architecture]}"></os>\n` +
    `    <app ${attributes}>\n` +
    '        <ping active="1"></ping>\n        <updatecheck></updatecheck>\n' +
    '        <event eventtype="3" eventresult="2" previousversion=""></event>\n    </app>\n</request>\n'
  );
}

function uuidOf(text: string): string {
  return `{${hash('sha256', text).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-5$3-8$4-$5')}}`;
}

function escaped(value: string): string {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
