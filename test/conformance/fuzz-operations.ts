// Random operations for the differential test: what may happen, and how often.

import fc from 'fast-check';
import { RENAME_EXCHANGE, RENAME_NOREPLACE } from '../../src/sys/index.js';

/** Few names, so that operations meet; directories and files share them. */
const NAMES = ['a', 'b', 'c', 'd'] as const;

const path = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const slot = fc.nat({ max: 2 });
const mode = fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o2775, 0o1777, 0o000);
const id = fc.constantFrom(0, 5, 70_000);
const size = fc.constantFrom(0, 1, 10, 5000, 200_000);
const text = fc.constantFrom('x', 'hello', 'y'.repeat(5000));
const key = fc.constantFrom('user.a', 'user.b', 'trusted.c', 'security.d');

export type Operation =
  | {
      readonly op: 'create' | 'mkdir' | 'mkfifo' | 'unlink' | 'rmdir' | 'read' | 'list' | 'stat';
      readonly path: string;
    }
  | { readonly op: 'symlink'; readonly path: string; readonly target: string }
  | { readonly op: 'link'; readonly path: string; readonly to: string }
  | { readonly op: 'rename'; readonly path: string; readonly to: string; readonly flags: number }
  | { readonly op: 'write' | 'append'; readonly path: string; readonly text: string; readonly offset: number }
  | { readonly op: 'truncate'; readonly path: string; readonly size: number }
  | { readonly op: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly op: 'chown'; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly op: 'utimens'; readonly path: string; readonly sec: number }
  | { readonly op: 'setxattr' | 'removexattr'; readonly path: string; readonly key: string; readonly text: string }
  | { readonly op: 'open'; readonly path: string; readonly slot: number; readonly writing: boolean }
  | { readonly op: 'handle-read' | 'handle-stat' | 'close'; readonly slot: number }
  | { readonly op: 'handle-write'; readonly slot: number; readonly text: string; readonly offset: number }
  | { readonly op: 'handle-truncate'; readonly slot: number; readonly size: number };

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constantFrom('create', 'mkdir'), path }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('mkfifo'), path }) },
  { weight: 5, arbitrary: fc.record({ op: fc.constantFrom('unlink', 'rmdir', 'read', 'list', 'stat'), path }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('symlink'), path, target: fc.constantFrom('a', '../b', 'nowhere', 'c/d') }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('link'), path, to: path }) },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('rename'),
      path,
      to: path,
      flags: fc.constantFrom(0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE),
    }),
  },
  { weight: 3, arbitrary: fc.record({ op: fc.constantFrom('write', 'append'), path, text, offset: size }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('truncate'), path, size }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('chmod'), path, mode }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('chown'), path, uid: id, gid: id }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('utimens'), path, sec: fc.constantFrom(0, -1, 1_000_000, 3_000_000_000) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('setxattr', 'removexattr'), path, key, text }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('open'), path, slot, writing: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('handle-read', 'handle-stat', 'close'), slot }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('handle-write'), slot, text, offset: size }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('handle-truncate'), slot, size }) },
);
