// Asking again: what failed for a reason that passes is tried a few times, further and further apart.

import { setTimeout as sleep } from 'node:timers/promises';
import { RegistryFailure } from './errors.js';

export interface Wait {
  readonly registry: string;
  /** `rate limit`, `HTTP 503`, `connection reset`. */
  readonly reason: string;
  readonly milliseconds: number;
}

export interface RetryPolicy {
  /** In all. */
  readonly attempts: number;
  /** Milliseconds before the second attempt; doubled from one to the next, at most 30 s. */
  readonly delay: number;
  readonly onWait?: ((wait: Wait) => void) | undefined;
}

const MAX_DELAY = 30_000;
/** A registry that asks for more patience is told of, not waited for. */
const MAX_RETRY_AFTER = 5 * 60_000;

/** The milliseconds a Retry-After header asks for (RFC 9110, 10.2.3): seconds or a date. Undefined if it is malformed. */
export function parseRetryAfter(value: string | undefined, now = Date.now()): number | undefined {
  if (value === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000;
  // Date.parse reads much else, negative numbers among it.
  if (!/^[A-Za-z]{3,9}, /.test(value)) return undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(date - now, 0);
}

/** Milliseconds to wait after the nth failure: a quarter more or less, so that many clients do not come back as one. */
export function backOff(failures: number, delay: number, random: () => number = Math.random): number {
  return Math.round(Math.min(delay * 2 ** (failures - 1), MAX_DELAY) * (0.75 + random() / 2));
}

function inWords(milliseconds: number): string {
  const minutes = Math.ceil(milliseconds / 60_000);
  if (minutes < 120) return `${String(minutes)} minutes`;
  const hours = Math.ceil(minutes / 60);
  return hours < 48 ? `${String(hours)} hours` : `${String(Math.ceil(hours / 24))} days`;
}

/** Waits as told after a failure, the nth in a row, or throws it if it is final. */
export async function waitAfter(
  error: unknown,
  { failures, policy, registry, signal }: { failures: number; policy: RetryPolicy; registry: string; signal?: AbortSignal | undefined }, // prettier-ignore
): Promise<void> {
  if (!(error instanceof RegistryFailure) || error.passing === undefined || failures >= policy.attempts) throw error;
  if (error.retryAfter !== undefined && error.retryAfter > MAX_RETRY_AFTER) {
    throw new RegistryFailure('unavailable', error.message, {
      hint: `the registry asks to come again in ${inWords(error.retryAfter)}`,
      status: error.status,
    });
  }
  const milliseconds = error.retryAfter ?? backOff(failures, policy.delay);
  policy.onWait?.({ registry, reason: error.passing, milliseconds });
  await wait(milliseconds, signal);
}

/** Throws the signal's reason as soon as it is aborted. */
async function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** The first success of `attempt`. Throws the last failure, or the first that does not pass. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  options: { readonly policy: RetryPolicy; readonly registry: string; readonly signal?: AbortSignal | undefined },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      options.signal?.throwIfAborted();
      await waitAfter(error, { ...options, failures });
    }
  }
}
