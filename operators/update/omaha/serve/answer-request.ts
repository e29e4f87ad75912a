import { durationMs } from '#api/fields.ts';
import type { Verdict } from '#api/reasons.ts';
import type { ClusterNode } from '../decide/choose-service.ts';
import { chooseService } from '../decide/choose-service.ts';
import { decideMachine, type Judgement } from '../decide/decide-machine.ts';
import { machineLabels } from '../decide/machine-labels.ts';
import type { Service } from '../decide/service.ts';
import type { OmahaApp, OmahaRequest } from '../protocol/request.ts';
import type { AppAnswer, OmahaResponse, UpdateCheckAnswer } from '../protocol/response.ts';
import type { AppStatus } from '../protocol/statuses.ts';
import type { Contact, MachineStore } from '../store/store.ts';
import { identify, type Identity } from './identify.ts';
import { manifestOf } from './manifest-of.ts';
import { isMirror, mirrorAnswer } from './mirror-answer.ts';

/** What the endpoint answers from. */
export interface Surroundings {
  store: MachineStore;
  /** The groups that answer over Omaha, as they are now. */
  services: (now: number) => readonly Service[];
  /** The node of the cluster whose machine id this is. */
  nodeOf: (machineID: string) => ClusterNode | undefined;
  /** Told of each check that was answered. */
  onAnswer?: ((told: Told) => void) | undefined;
}

export interface Told {
  group: string;
  /** `Offered`, or why the machine is held. */
  reason: Verdict['reason'];
}

interface Caller {
  request: OmahaRequest;
  address: string;
  now: number;
}

/** Answers a request, app by app in its order. Rejects with a StoreError when the store does. */
export async function answerRequest(
  around: Surroundings,
  request: OmahaRequest,
  address: string,
  now: number,
): Promise<OmahaResponse> {
  const apps: AppAnswer[] = [];
  // One after the other: two apps of a request may be the same one, and what they tell has an order.
  for (const app of request.apps) apps.push(await answerApp(around, app, { request, address, now }));
  return { apps };
}

/** Of v3 every minor version is the same to a server. */
function isSpoken(protocol: string | undefined): boolean {
  return protocol !== undefined && /^3\.[0-9]{1,3}$/.test(protocol);
}

async function answerApp(around: Surroundings, app: OmahaApp, caller: Caller): Promise<AppAnswer> {
  if (!isSpoken(caller.request.protocol)) return said(app, 'ok', plain('error-unsupportedProtocol'));
  const identity = identify(app, caller.request.os, caller.address);
  if (identity === undefined) {
    // Only a check needs to know who asks; what else was told is acknowledged, and dropped.
    return app.updateCheck
      ? said(app, 'error-instanceRegistrationFailed', plain('error-internal'))
      : said(app, 'ok');
  }
  const node = around.nodeOf(identity.key.id);
  const labels = machineLabels(identity.key.id, identity.sighting, node?.labels);
  const asker = { app: identity.key.app, track: identity.sighting.track, labels, node };
  const choice = chooseService(around.services(caller.now), asker);
  if (choice.unknown) return said(app, 'error-failedToRetrieveUpdatePackageInfo', plain('error-internal'));
  if (choice.held !== undefined) {
    if (app.updateCheck) around.onAnswer?.({ group: '', reason: choice.held.reason });
    return said(app, 'ok', plain('noupdate'));
  }
  if (isMirror(caller.request)) {
    const { version, arch } = identity.sighting;
    return said(app, 'ok', mirrorAnswer(choice.service, version, arch, app.multiManifestOk));
  }
  return said(app, 'ok', await contact(around, choice.service, { app, identity, labels, caller }));
}

interface Meeting {
  app: OmahaApp;
  identity: Identity;
  labels: Readonly<Record<string, string>>;
  caller: Caller;
}

/** Brings the request before the store, and says what was committed. */
async function contact(
  around: Surroundings,
  service: Service,
  meeting: Meeting,
): Promise<UpdateCheckAnswer | undefined> {
  const { app, identity, labels, caller } = meeting;
  const { key, sighting } = identity;
  // Only a check makes a machine known: events of one that nobody has seen would fill the store with inventions.
  if (!app.updateCheck && (await around.store.machine(key)) === undefined) return undefined;
  const onDemand = caller.request.installSource === 'ondemandupdate';
  const asked = { events: app.events, check: app.updateCheck, onDemand, labels };
  let judgement: Judgement | undefined;
  const met = await around.store.contact(
    key,
    { ...sighting, group: service.group },
    caller.now,
    (machine, view, movedFrom?: string) => {
      judgement = decideMachine(service, machine, view, { ...asked, movedFrom }, caller.now);
      return judgement.decision;
    },
  );
  if (!app.updateCheck) return undefined;
  return outcome(around, service, met, judgement?.offer);
}

function outcome(
  { onAnswer }: Surroundings,
  { group, omaha }: Service,
  { machine, full }: Contact,
  offer: Judgement['offer'],
): UpdateCheckAnswer {
  const pollSeconds = omaha.pollInterval === undefined ? undefined : durationMs(omaha.pollInterval) / 1000;
  const isGiven = offer !== undefined && full === undefined && machine.grant?.version === offer.version;
  const held = (machine.hold?.reason ?? 'UpToDate') as Verdict['reason'];
  onAnswer?.({ group, reason: isGiven ? 'Offered' : held });
  if (!isGiven) return { ...plain('noupdate'), pollSeconds };
  const { version, build } = offer;
  return { status: 'ok', pollSeconds, codebases: build.codebases, manifests: [manifestOf(version, build)] };
}

function plain(status: UpdateCheckAnswer['status']): UpdateCheckAnswer {
  return { status, codebases: [], manifests: [] };
}

function said(
  { appID, ping, events, updateCheck }: OmahaApp,
  status: AppStatus,
  check?: UpdateCheckAnswer,
): AppAnswer {
  return { appID, status, ping, events: events.length, updateCheck: updateCheck ? check : undefined };
}
