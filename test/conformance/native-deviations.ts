// What the package fuse-native, and libfuse 2 below it, cannot express, and the checks that find it. native-notes/transports.md
// has where in their sources each comes from.

import type { Deviation } from './deviations.js';

type Limit = readonly [why: string, checks: Readonly<Record<string, RegExp>>];

const LIMITS: readonly Limit[] = [
  [
    'who asks is not told, so nobody but the user who mounted is let in',
    {
      identity:
        /^(what a user makes|a setgid directory gives|a sticky directory|a supplementary group|renaming a directory of another)/,
      io: /^rights are asked at open/,
      setattr:
        /^(chmod is for the owner|chmod by an owner|chown is for root|chown by its owner|a write by another|truncate by another|truncate needs|who may set times|a file of mode 000)/,
      xattr: /^(who may set what|an ACL lets another in|setting an ACL changes the mode|an ACL is set by its owner)/,
      'read-only': /^reading works/,
      'posix-operations': /^a new file of mode 000/,
    },
  ],
  [
    'there is no RENAME2: renameat2 with flags is EINVAL',
    {
      'rename-matrix': /^(NOREPLACE .* to (absent|whited-out)|EXCHANGE .* to (?!whited-out).*(file|dir|only)$)/,
      'posix-operations': /^exchange of every two things/,
    },
  ],
  ['there is no TMPFILE', { create: /^O_TMPFILE/, 'posix-operations': /^O_TMPFILE/ }],
  [
    'there is no FALLOCATE',
    {
      io: /^fallocate/,
      'posix-operations': /^posix_fallocate/,
      remove: /^a file opened with O_NOFOLLOW goes on/,
    },
  ],
  ['there is no LSEEK: a file is all data', { io: /^a hole in a lower file stays one/ }],
  ['there is no STATX: no birth times', { peers: /^the birth time is told/ }],
  [
    'times are in milliseconds, and the modification time is set to the access time',
    {
      create: /^making something in a lower directory copies up/,
      lookup: /^directories merge their names and take the attributes/,
      setattr:
        /^(chmod keeps everything else, lower|utimensat to the nanosecond|utimensat leaves out|utimensat with UTIME_NOW|futimens through|attributes of a lower|a change of a file deep|changes of directories by|names and a handle from before)/,
    },
  ],
  ['names are texts in UTF-8, not bytes', { lookup: /^names are bytes/ }],
  [
    'nodes are paths: hard links are different files to the kernel, with pages, locks and maps of their own',
    {
      peers: /^(record locks of open files|two shared maps)/,
      'posix-operations': /^a running program can not be written/,
    },
  ],
  ['a removed directory has no path, by which it could be asked', { remove: /^a removed directory that is open/ }],
  ['the kernel applies the umask before it sends a mode', { xattr: /^a default ACL is inherited/ }],
];

export const NATIVE_DEVIATIONS: readonly Deviation[] = LIMITS.flatMap(([why, checks]) =>
  Object.entries(checks).map(([family, check]): Deviation => ({
    family,
    check,
    on: 'fuse-native',
    part: 'check',
    why,
  })),
);
