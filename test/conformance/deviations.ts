// Checks that a backend is known to fail, and why. A listed check must fail there: one that passes is struck off.

import type { BackendKind } from '../helpers/backends.js';
import { NATIVE_DEVIATIONS } from './native-deviations.js';

export interface Deviation {
  readonly family: string;
  /** The check's name, the beginning of several ones, or what is in them. */
  readonly check: string | RegExp;
  readonly on: BackendKind;
  /** The check itself: it fails there. What it leaves: it passes, but leaves another tree than elsewhere. */
  readonly part: 'check' | 'tree';
  readonly why: string;
}

export const DEVIATIONS: readonly Deviation[] = [
  ...NATIVE_DEVIATIONS,
  ...['lower', 'merged'].map((origin): Deviation => ({
    family: 'rename-matrix',
    check: `plain ${origin} dir to upper full dir`,
    on: 'kernel',
    part: 'tree',
    why: 'copies up the source of a rename that then fails, and leaves a new mtime on its parent',
  })),
  {
    family: 'remove',
    check: 'a file open for reading goes on after unlink, lower',
    on: 'kernel',
    part: 'check',
    why: 'fstat of an unlinked lower file still tells the link count of the lower file',
  },
  {
    family: 'remove',
    check: 'fchmod and ftruncate of an unlinked file that is open for reading only, lower',
    on: 'kernel',
    part: 'check',
    why: 'fchown of an unlinked lower file tries to copy it up to its old place: EEXIST',
  },
  ...['lower', 'merged'].map((origin): Deviation => ({
    family: 'posix-operations',
    check: `a running program can not be written: ETXTBSY, ${origin}`,
    on: 'kernel',
    part: 'check',
    why: 'open(O_RDONLY | O_TRUNC) of a running lower program is ETXTBSY, and yet its copy is empty',
  })),
  {
    family: 'peers',
    check: 'locks of a reader hold against who opens for writing later, big, lower',
    on: 'veneer',
    part: 'check',
    why: 'through passthrough, a handle from before the copy-up is of another inode to the kernel, which keeps the locks',
  },
  {
    family: 'xattr',
    check: 'user.overlay attributes are ordinary ones',
    on: 'veneer',
    part: 'tree',
    why: "veneer reads the marks of user.overlay, too, and so escapes a user's own: kernel overlayfs does so with userxattr only",
  },
  ...['lower', 'upper', 'merged'].map((origin): Deviation => ({
    family: 'posix-permissions',
    check: `setgid without the right to execute is taken by a chown of an owner outside the group, ${origin}`,
    on: 'veneer',
    part: 'check',
    why: 'a FUSE request tells one group of who asks, not those beside it, and so whether it is a member',
  })),
  ...['lower', 'second lower'].map((origin): Deviation => ({
    family: 'io',
    check: `a handle open for reading sees a later write, big, ${origin}`,
    on: 'veneer',
    part: 'check',
    why: 'through passthrough, a handle that was open for reading before the copy-up keeps the lower file',
  })),
  ...['lower', 'second lower'].map((origin): Deviation => ({
    family: 'io',
    check: `flock of a reader keeps out a later writer, big, ${origin}`,
    on: 'veneer',
    part: 'check',
    why: 'through passthrough, that reader has the lower file, which is another inode to the kernel, and locks are by inode',
  })),
];

export function deviationOf(family: string, check: string, kind: BackendKind): Deviation | undefined {
  return DEVIATIONS.find(
    (deviation) =>
      deviation.family === family &&
      deviation.on === kind &&
      (typeof deviation.check === 'string' ? check.startsWith(deviation.check) : deviation.check.test(check)),
  );
}
