// Where a server logs when nobody says.

import {
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFile, defaultLogFile } from '../../../src/overlay/log-file.js';

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

describe('a log', () => {
  const line = (level: number, pid = process.pid): string => `${JSON.stringify({ level, pid, msg: 'x' })}\n`;

  it.each([
    ['goes with a server that has nothing to say', '', line(30), undefined],
    ['goes where nothing was written', '', '', undefined],
    ['stays with an error', '', line(30) + line(50), line(30) + line(50)],
    ['keeps what an earlier server has said last', line(60, 1), line(30), line(60, 1)],
    ['keeps what another server says now', '', line(30) + line(30, 1), line(30) + line(30, 1)],
    ['stays with what is no line of a log', '', 'what?\n', 'what?\n'],
  ])('%s', (_, before, written, after) => {
    const file = path.join(temporary, 'below', 'a.log');
    if (before !== '') {
      mkdirSync(path.dirname(file));
      writeFileSync(file, before);
    }
    const log = new LogFile(file);
    expect(fstatSync(log.fd).mode & 0o777).toBe(before === '' ? 0o600 : 0o644);
    writeSync(log.fd, written);
    log.tidy();
    log.tidy();
    closeSync(log.fd);
    expect(existsSync(file) ? readFileSync(file, 'utf8') : undefined).toBe(after);
  });
});
