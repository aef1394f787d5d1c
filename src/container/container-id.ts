// IDs of containers: 64 hex digits, as Docker's.

import { randomBytes } from 'node:crypto';

/** A new random ID. Its first 12 digits, which become the host name, are never all decimal: that would read as a number. */
export function newContainerId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^[0-9]{12}/.test(id)) return id;
  }
}
