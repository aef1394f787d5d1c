// What the parts of a server tell each other.

import { VeneerError, messageOf } from '../core/index.js';
import type { ErrorKind } from '../core/index.js';

export interface ServerEvents {
  /** The mount answers. */
  readonly ready: () => void;
  /** What the log should know. */
  readonly log: (message: string, error: unknown) => void;
}

/** A failure in a form that crosses processes. */
export interface Failure {
  readonly code: ErrorKind;
  readonly message: string;
  readonly hint: string | undefined;
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof VeneerError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'invalid', message: messageOf(error), hint: undefined };
}
