/** The largest body that is read, in bytes; what Nebraska reads as well. A usual one has 1 KB. */
export const MAX_BODY_BYTES = 65_536;

/** A machine asks for a handful of apps; a mirror for some dozens. */
export const MAX_APPS = 128;
export const MAX_EVENTS_OF_APP = 16;

/** Of elements that nobody knows there may be more than of apps, but not without end. */
export const MAX_ELEMENTS = 2048;
export const MAX_DEPTH = 16;
export const MAX_ATTRIBUTES = 64;

/** Of one attribute, in UTF-16 units. Identity has narrower bounds of its own. */
export const MAX_VALUE = 1024;
