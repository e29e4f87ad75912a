import { MAX_APPS, MAX_EVENTS_OF_APP } from './bounds.ts';
import type { Attributes } from './read-elements.ts';
import { readElements } from './read-elements.ts';
import type { OmahaApp, OmahaEvent, OmahaOs, OmahaRequest } from './request.ts';
import { RequestError } from './request-error.ts';

type Growing<T> = { -readonly [Key in keyof T]: T[Key] };
type GrowingApp = Growing<Omit<OmahaApp, 'events'>> & { events: OmahaEvent[] };
type GrowingRequest = Growing<Omit<OmahaRequest, 'apps'>> & { apps: GrowingApp[] };

/** Reads a body. Throws a RequestError; never anything else, whatever the body is. */
export function readRequest(body: Uint8Array): OmahaRequest {
  let request: GrowingRequest | undefined;
  readElements(body, {
    open: (name, attributes, depth) => {
      if (depth === 0) request = readRoot(name, attributes);
      else if (request !== undefined) addElement(request, name, attributes, depth);
    },
  });
  if (request === undefined) throw new RequestError('NotARequest', 'there is no element');
  return request;
}

/** Case matters in XML, and a response is not a request. */
function readRoot(name: string, attributes: Attributes): GrowingRequest {
  if (name !== 'request') throw new RequestError('NotARequest', `the root element is not request`);
  return {
    protocol: attributes['protocol'],
    version: attributes['version'],
    installSource: attributes['installsource'],
    os: undefined,
    apps: [],
  };
}

function addElement(request: GrowingRequest, name: string, attributes: Attributes, depth: number): void {
  if (depth === 1 && name === 'os') request.os = readOs(attributes);
  else if (depth === 1 && name === 'app') addApp(request, attributes);
  else if (depth === 2) addToApp(request.apps.at(-1), name, attributes);
}

function readOs({ platform, version, sp, arch }: Attributes): OmahaOs {
  return { platform, version, sp, arch };
}

function addApp(request: GrowingRequest, attributes: Attributes): void {
  if (request.apps.length >= MAX_APPS) {
    throw new RequestError('TooComplex', `there are more than ${MAX_APPS} apps`);
  }
  request.apps.push({
    appID: attributes['appid'],
    version: attributes['version'],
    track: attributes['track'],
    board: attributes['board'],
    bootID: attributes['bootid'],
    machineID: attributes['machineid'],
    machineAlias: attributes['machinealias'],
    oem: attributes['oem'],
    oemVersion: attributes['oemversion'],
    alephVersion: attributes['alephversion'],
    multiManifestOk: isTrue(attributes['multi_manifest_ok']),
    ping: false,
    updateCheck: false,
    events: [],
  });
}

/** Elements of depth 2 outside an app come before the first one or in `os`; nobody sends such. */
function addToApp(app: GrowingApp | undefined, name: string, attributes: Attributes): void {
  if (app === undefined) return;
  if (name === 'ping') app.ping = true;
  else if (name === 'updatecheck') app.updateCheck = true;
  else if (name === 'event') addEvent(app, attributes);
}

function addEvent(app: GrowingApp, attributes: Attributes): void {
  if (app.events.length >= MAX_EVENTS_OF_APP) {
    throw new RequestError('TooComplex', `an app has more than ${MAX_EVENTS_OF_APP} events`);
  }
  app.events.push({
    type: integer(attributes['eventtype']),
    result: integer(attributes['eventresult']),
    errorCode: integer(attributes['errorcode']),
    previousVersion: attributes['previousversion'],
    nextVersion: attributes['nextversion'],
  });
}

/** A whole number of 32 bits; clients write codes with bit 31 as negative numbers. */
function integer(text: string | undefined): number | undefined {
  if (text === undefined || !/^[+-]?[0-9]{1,10}$/.test(text.trim())) return undefined;
  const value = Number(text);
  return value >= -(2 ** 31) && value < 2 ** 32 ? value : undefined;
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|t|true)$/i.test(text);
}
