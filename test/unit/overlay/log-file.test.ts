// Where a server logs when nobody says.

import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { defaultLogFile } from '../../../src/overlay/log-file.js';

const uid = process.geteuid?.() ?? 0;
let temporary = '';

beforeEach(() => {
  temporary = mkdtempSync(path.join(os.tmpdir(), 'veneer-log-'));
});
afterEach(() => {
  rmSync(temporary, { recursive: true });
});

/** What somebody who is not root gets, with a temporary directory of the test's own. */
function logFileOf(mountpoint: string, user = uid === 0 ? 65534 : uid): string | undefined {
  return defaultLogFile(mountpoint, { env: { TMPDIR: temporary }, uid: user });
}

/** A directory in the place of that user's log directory. */
function placeDirectory(owner: number): void {
  const directory = path.join(temporary, 'veneer-65534');
  mkdirSync(directory);
  chownSync(directory, owner, owner);
}

it('the log of a mount is named after the mount point', () => {
  placeDirectory(65534);
  expect(logFileOf('/mnt/data', 65534)).toBe(path.join(temporary, 'veneer-65534', 'mnt-data.log'));
  expect(path.basename(logFileOf('/', 65534) ?? '')).toBe('root.log');
});

it('the name is no longer than a file name may be', () => {
  placeDirectory(65534);
  const long = `/${'d'.repeat(255)}/${'e'.repeat(255)}`;
  expect(path.basename(logFileOf(long, 65534) ?? '').length).toBeLessThan(255);
});

it("the user's runtime directory comes first", () => {
  const env = { XDG_RUNTIME_DIR: path.join(temporary, 'run'), TMPDIR: temporary };
  const expected = uid === 0 ? '/run/veneer/mnt.log' : path.join(temporary, 'run', 'veneer', 'mnt.log');
  expect(defaultLogFile('/mnt', { env, uid })).toBe(expected);
});

it('a directory that somebody else has made is not used', () => {
  placeDirectory(1234);
  expect(logFileOf('/mnt', 65534)).toBeUndefined();
});

it('a link is not followed', () => {
  symlinkSync('/var/log', path.join(temporary, 'veneer-65534'));
  expect(logFileOf('/mnt', 65534)).toBeUndefined();
});
