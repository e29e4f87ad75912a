import type { AgentRecord } from '../record/record.ts';
import { failed, withAdopted, withoutArmed, withoutStaged, withTrial } from '../record/transitions.ts';
import { accept } from './accept.ts';
import { arm, disarm } from './arm.ts';
import { instant, save } from './context.ts';
import type { Context, Do } from './context.ts';
import type { Step } from './step.ts';
import { check, concludeRolledBack, fallBack, markGood, strand } from './trial.ts';

type Deed = Exclude<Step['do'], 'idle'>;

const DEEDS: { [K in Deed]: (step: Do<K>, context: Context) => Promise<AgentRecord> } = {
  stage,
  recheck,
  stop,
  drop,
  refuse,
  accept,
  arm: ({ armed }, context) => arm(armed, context),
  disarm,
  adopt,
  try: begin,
  check,
  markGood,
  strand,
  fallBack,
  concludeRolledBack,
  concludeNeverArmed,
};

/** Does one step; the record as it is on disk then. What was written down before an error stays written. */
export function carryOut(step: Do<Deed>, context: Context): Promise<AgentRecord> {
  const deed = DEEDS[step.do] as (step: Step, context: Context) => Promise<AgentRecord>;
  return deed(step, context);
}

async function concludeNeverArmed(_: Do<'concludeNeverArmed'>, context: Context): Promise<AgentRecord> {
  await context.parts.host.deadman.disarm();
  return save(context, withoutArmed(context.facts.record));
}

async function stage({ wanted }: Do<'stage'>, { beside, engine, facts }: Context): Promise<AgentRecord> {
  beside.stage(engine, wanted);
  return facts.record;
}

async function recheck({ staged, grantID }: Do<'recheck'>, context: Context): Promise<AgentRecord> {
  context.beside.recheck(context.engine, staged, grantID);
  return context.facts.record;
}

async function stop(_: Do<'stop'>, { beside, facts }: Context): Promise<AgentRecord> {
  await beside.stop();
  return facts.record;
}

async function drop(_: Do<'drop'>, context: Context): Promise<AgentRecord> {
  await clearStaged(context);
  return save(context, withoutStaged(context.facts.record));
}

async function refuse({ version, attempt, error }: Do<'refuse'>, context: Context): Promise<AgentRecord> {
  const { record, host } = context.facts;
  await clearStaged(context);
  return save(context, failed(record, { version, attempt, from: host.os.version }, error, instant(context)));
}

/** Somebody may have booted the staged slot by hand: the passive one is the way back then, and is left alone. */
async function clearStaged({ engine, facts }: Context): Promise<void> {
  const { staged } = facts.record;
  const runs = facts.engine?.slots.some(({ booted, partUUID }) => booted && partUUID === staged?.partUUID);
  if (staged !== undefined && runs !== true) await engine.clear();
}

function adopt({ partUUID, gate }: Do<'adopt'>, context: Context): Promise<AgentRecord> {
  const { record, host } = context.facts;
  const attempt = record.staged?.partUUID === partUUID ? record.staged.attempt : 0;
  const armed = { version: host.os.version, attempt, partUUID, gate, at: instant(context) };
  return save(context, withAdopted(record, armed));
}

function begin({ armed }: Do<'try'>, context: Context): Promise<AgentRecord> {
  const { record, host } = context.facts;
  delete context.work.checks;
  return save(context, withTrial(record, armed, host.bootID, instant(context)));
}
