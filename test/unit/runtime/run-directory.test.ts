import { chmodSync, lchownSync as chownSync, mkdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runDirectory, runFiles } from '../../../src/runtime/index.js';
import { tempDir } from '../../helpers/tmp.js';

const STORE = '/var/lib/veneer';

test('a store has a run directory in the runtime directory of its user', () => {
  using dir = tempDir('run-directory');
  const uid = process.getuid?.() ?? 0;
  const context = { env: { XDG_RUNTIME_DIR: dir.path }, uid };
  const found = runDirectory(STORE, context);
  if (uid !== 0) expect(found.startsWith(path.join(dir.path, 'veneer'))).toBe(true);
  expect(path.basename(found)).toMatch(/^[0-9a-f]{16}$/);
  expect(statSync(found).mode & 0o777).toBe(0o700);
  expect(runDirectory(STORE, context)).toBe(found);
  expect(runDirectory('/srv/veneer', context)).not.toBe(found);
});

test('a directory that others may write to is not used', () => {
  using dir = tempDir('run-directory-open');
  const uid = process.getuid?.() ?? 0;
  // As long as there is no /run/veneer of ours, the next one is asked for.
  const context = { env: { XDG_RUNTIME_DIR: dir.path }, uid: uid === 0 ? 4_000_000 : uid };
  mkdirSync(path.join(dir.path, 'veneer'));
  chmodSync(path.join(dir.path, 'veneer'), 0o777);
  const elsewhere = `/tmp/veneer-${String(context.uid)}`;
  mkdirSync(elsewhere, { recursive: true, mode: 0o700 });
  chownSync(elsewhere, context.uid, process.getgid?.() ?? 0);
  try {
    expect(path.dirname(runDirectory(STORE, context))).toBe(elsewhere);
    chmodSync(elsewhere, 0o777);
    expect(() => runDirectory(STORE, context)).toThrow(/no directory for running containers/);
  } finally {
    rmSync(elsewhere, { recursive: true });
  }
});

test('the path of a socket fits into what the kernel takes', () => {
  const { attach } = runFiles(`/run/user/4294967294/veneer/${'0'.repeat(16)}`, 'a'.repeat(64));
  expect(attach.length).toBeLessThan(107);
});
