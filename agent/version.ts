import manifest from '../package.json' with { type: 'json' };

/** Version of careen that this agent is of. */
export const AGENT_VERSION: string = manifest.version;
