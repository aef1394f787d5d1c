export { Attachment } from './attachment.js';
export type { RelayOptions, Sink } from './attachment.js';
export { resizeTerminal } from './control.js';
export type { TerminalSize } from './control.js';
export { DEFAULT_DETACH_KEYS, parseDetachKeys } from './detach-keys.js';
