// Who a container's user is, by the container's own /etc/passwd and /etc/group: moby's sys/user, GetExecUser.

import { VeneerError, errno, toByteString } from '../../core/index.js';
import {
  AT_FDCWD,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
} from '../../sys/index.js';
import { S_IFREG, Stat, close, fstatx, must, openat, openat2, read } from '../../sys/index.js';

/** The texts of the two files; '' for one that is not there. */
export interface UserDatabase {
  readonly passwd: string;
  readonly group: string;
}

const ABSENT = new Set<number>([errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO]);

/** More than any real one has; what lies behind is not read. */
const MAX_BYTES = 4 * 2 ** 20;

/** A file of the container's tree as text. Its links are followed as the container would: never out of the tree. */
export function readContainerFile(rootfs: string, path: string): string {
  const root = must(openat(AT_FDCWD, toByteString(rootfs), O_PATH | O_DIRECTORY), 'open', rootfs);
  try {
    const resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const fd = openat2(root, toByteString(path), { flags: O_RDONLY | O_NONBLOCK, resolve });
    if (ABSENT.has(-fd)) return '';
    try {
      return readText(must(fd, 'open', path));
    } finally {
      close(fd);
    }
  } finally {
    close(root);
  }
}

function readText(fd: number): string {
  const stat = new Stat();
  must(fstatx(fd, stat), 'statx');
  if (stat.type !== S_IFREG) return '';
  const bytes = Buffer.alloc(Math.min(stat.size, MAX_BYTES));
  let length = 0;
  while (length < bytes.length) {
    const count = must(read(fd, bytes.subarray(length)), 'read');
    if (count === 0) break;
    length += count;
  }
  return bytes.toString('utf8', 0, length);
}

export function readUserDatabase(rootfs: string): UserDatabase {
  return { passwd: readContainerFile(rootfs, 'etc/passwd'), group: readContainerFile(rootfs, 'etc/group') };
}

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  readonly home: string;
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

const lines = (text: string): string[][] => text.split('\n').map((line) => line.trim().split(':'));
const isId = (text = ''): boolean => /^[0-9]{1,10}$/.test(text);

function accounts(passwd: string): Account[] {
  return lines(passwd).flatMap(([name, , uid, gid, , home = '']) =>
    name !== undefined && name !== '' && isId(uid) && isId(gid)
      ? [{ name, uid: Number(uid), gid: Number(gid), home }]
      : [],
  );
}

function groups(text: string): Group[] {
  return lines(text).flatMap(([name, , gid, members = '']) =>
    name !== undefined && name !== '' && isId(gid)
      ? [{ name, gid: Number(gid), members: members.split(',').filter((member) => member !== '') }]
      : [],
  );
}

/** The kernel's (uid_t)-1 is nobody's, and Docker ends where int32 does. */
const MAX_ID = 2 ** 31 - 1;

function checkId(id: number, text: string): number {
  if (id <= MAX_ID) return id;
  throw new VeneerError('invalid', `the user '${text}' is out of range: IDs go from 0 to ${String(MAX_ID)}`);
}

function findGroup(text: string, all: readonly Group[]): number {
  const found = all.find(({ name, gid }) => name === text || String(gid) === text);
  if (found !== undefined) return found.gid;
  if (isId(text)) return checkId(Number(text), text);
  throw new VeneerError('not-found', `no group '${text}' in the container's /etc/group`);
}

/**
 * Resolves NAME|UID[:GROUP|GID]; '' is root. Without a group the account's own and those that list it are taken, as far as there is an
 * account. `groupAdd` are more groups, by name or number. Throws `not-found` for a name the container does not know, and `invalid`.
 */
export function resolveUser(database: UserDatabase, text: string, groupAdd: readonly string[] = []): ContainerUser {
  const [who = '', group = ''] = text.split(':');
  const all = groups(database.group);
  const wanted = who === '' ? '0' : who;
  const known = accounts(database.passwd);
  const account = known.find(({ name }) => name === wanted) ?? known.find(({ uid }) => String(uid) === wanted);
  if (account === undefined && !isId(wanted)) {
    throw new VeneerError('not-found', `no user '${wanted}' in the container's /etc/passwd`);
  }
  const uid = checkId(account?.uid ?? Number(wanted), wanted);
  const gid = group === '' ? (account?.gid ?? 0) : findGroup(group, all);
  const named =
    account === undefined || group !== '' ? [] : all.filter(({ members }) => members.includes(account.name));
  // The kernel gives files of the own group access by that one alone where it is not listed, too (CVE-2022-36109).
  const extra = [gid, ...named.map((one) => one.gid), ...groupAdd.map((one) => findGroup(one, all))];
  const home = account?.home ?? '';
  return { uid, gid, additionalGids: [...new Set(extra)], home: home === '' ? '/' : home };
}
