import { z } from 'zod';
import { conditions, observedGeneration } from './conditions.ts';
import { duration, instant, labelSelector, list, rule, timeZone } from './fields.ts';

/** A recurring span: opens at a cron instant or at locksmith's `[Day ]HH:MM`, stays open for `duration`. */
const recurring = {
  schedule: z
    .string()
    .min(9)
    .max(128)
    .optional()
    .describe(
      'When it opens, as a cron expression of five fields ("0 4 * * 1-5"; "0 4 * * 6#1" is the first Saturday).',
    ),
  start: z
    .string()
    .max(9)
    .regex(/^((Mon|Tue|Wed|Thu|Fri|Sat|Sun|mon|tue|wed|thu|fri|sat|sun) )?([01][0-9]|2[0-3]):[0-5][0-9]$/)
    .optional()
    .describe('When it opens, as locksmith writes it: "04:00" daily, "Thu 23:00" weekly.'),
  duration: duration.optional().describe('How long it stays open, in elapsed time, at most 168h.'),
  timeZone: timeZone
    .default('UTC')
    .describe('IANA time zone that the times are read in. An unknown one is closed.'),
};

const SPAN_MESSAGE = 'give duration and exactly one of schedule (cron) or start ("[Day ]HH:MM")';

const allowSpan = rule(z.object(recurring), {
  cel: 'has(self.duration) && (has(self.schedule) != has(self.start))',
  message: SPAN_MESSAGE,
  test: (span) => isRecurring(span),
});

const denySpan = rule(
  z.object({
    ...recurring,
    from: instant.optional().describe('First instant of a blackout.'),
    to: instant.optional().describe('First instant after a blackout.'),
    reason: z.string().max(256).optional().describe('Why; shown with every node that it holds.'),
  }),
  {
    cel: '(has(self.from) && has(self.to) && !has(self.schedule) && !has(self.start) && !has(self.duration) && self.from < self.to) || (!has(self.from) && !has(self.to) && has(self.duration) && (has(self.schedule) != has(self.start)))',
    message: `give from and to with from before to (a blackout), or ${SPAN_MESSAGE.replace('give ', '')}`,
    test: (span) =>
      span.from === undefined && span.to === undefined
        ? isRecurring(span)
        : span.from !== undefined &&
          span.to !== undefined &&
          Date.parse(span.from) < Date.parse(span.to) &&
          isBare(span),
  },
);
export type WindowSpan = z.infer<typeof denySpan>;

function isRecurring(span: {
  schedule?: string | undefined;
  start?: string | undefined;
  duration?: string | undefined;
}) {
  return span.duration !== undefined && (span.schedule === undefined) !== (span.start === undefined);
}

function isBare(span: {
  schedule?: string | undefined;
  start?: string | undefined;
  duration?: string | undefined;
}) {
  return span.schedule === undefined && span.start === undefined && span.duration === undefined;
}

export const rebootWindowSpec = rule(
  z.object({
    nodeSelector: labelSelector.describe(
      'Nodes that may reboot only while this window is open; {} covers every node.',
    ),
    allow: list(allowSpan, 32)
      .default([])
      .describe('Spans in which reboots may begin. None given: always, except while a deny span is open.'),
    deny: list(denySpan, 64).default([]).describe('Spans in which no reboot begins, whatever allow says.'),
  }),
  {
    cel: '(has(self.allow) && size(self.allow) > 0) || (has(self.deny) && size(self.deny) > 0)',
    message: 'give at least one allow or deny span; without any the window would say nothing',
    test: ({ allow, deny }) => allow.length + deny.length > 0,
  },
);

export const rebootWindowStatus = z.object({
  observedGeneration,
  open: z.boolean().optional().describe('Whether reboots may begin now.'),
  nextOpen: instant
    .optional()
    .describe('When it opens next; absent while open, or when it never opens again.'),
  nextClose: instant
    .optional()
    .describe('When it closes next; absent while closed, or when it never closes.'),
  openings: list(z.object({ from: instant.describe('Opens.'), to: instant.describe('Closes.') }), 5)
    .optional()
    .describe('The next five openings, the current one included.'),
  conditions,
});

export type RebootWindowSpec = z.infer<typeof rebootWindowSpec>;
export type RebootWindowStatus = z.infer<typeof rebootWindowStatus>;
