import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Rule } from './fault.ts';
import { drop, forward, refuse, type Upstream } from './forward.ts';

/** Does to one request what the rule says; without a rule it passes. */
export async function act(
  rule: Rule | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  to: Upstream,
): Promise<void> {
  if (rule?.kind === 'drop-before') return drop(response);
  if (rule?.kind === 'hang') return hang(request, response, rule.forMs);
  if (rule?.kind === 'status') {
    request.resume();
    return refuse(response, rule);
  }
  if (rule?.kind === 'delay') {
    await delay(rule.delayMs);
    return forward(request, response, to, undefined);
  }
  return forward(request, response, to, rule);
}

async function hang(
  request: IncomingMessage,
  response: ServerResponse,
  forMs: number | undefined,
): Promise<void> {
  request.resume();
  if (forMs === undefined) return;
  await delay(forMs);
  drop(response);
}
