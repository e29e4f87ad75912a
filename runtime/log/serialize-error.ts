/** How deep a chain of causes is followed. */
const DEEPEST = 5;

/** An error as JSON can show it: name, message, code, stack, and its causes; other values as they are. */
export function serializeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { code, status, reason } = error as Error & { code?: unknown; status?: unknown; reason?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...defined({ code, status, reason }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth >= DEEPEST
      ? {}
      : { cause: serializeError(error.cause, depth + 1) }),
    ...(error instanceof AggregateError
      ? { errors: error.errors.slice(0, DEEPEST).map((each) => serializeError(each, depth + 1)) }
      : {}),
  };
}

function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && value !== ''),
  );
}
