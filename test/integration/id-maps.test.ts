// uidmapping, gidmapping and squashing, with fuse-overlayfs as the oracle: the same options, the same commands, the same
// owners shown and the same owners on disk.

import { describe, expect, test } from 'vitest';
import { MountLab } from '../helpers/mount-program.js';
import type { MountProgram } from '../helpers/mount-program.js';
import { requires } from '../helpers/requires.js';
import {
  AT_FDCWD,
  O_DIRECTORY,
  O_RDONLY,
  O_RDWR,
  O_TMPFILE,
  Stat,
  close,
  fstatx,
  linkFd,
  must,
  openat,
} from '../../src/sys/index.js';

const gate = requires('root', 'fuse', 'build', 'acl', 'setpriv');
const oracle = requires('root', 'fuse', 'build', 'acl', 'setpriv', 'fuse-overlayfs');

const LOWER = `
  for id in 0 1 5 100; do echo $id > f$id; chown $id:$((id + 2)) f$id; done
  mkdir d pub; chown 3:3 d; chmod 777 pub; ln -s x link; chown -h 2:2 link
`;
const STAT = "find . -mindepth 1 -name '.wh.*' -prune -o -printf '%P %y %U:%G %m\\n' | sort";
const BY_USER =
  "setpriv --reuid 1002 --regid 2002 --clear-groups sh -c 'umask 022; cd pub; echo x > f; mkdir d; ln -s a l; mkfifo p; ln f h; touch d/x; true'";

/** What is shown before and after some work, and what lands on disk. */
async function outcome(program: MountProgram, options: string): Promise<string[]> {
  using lab = new MountLab('idmap', program);
  await lab.in('l', LOWER);
  const shown = await lab.on(
    options,
    `${STAT}; chown 1003:2004 f1; echo y >> f100; echo > new; mkdir nd; echo > d/sub; ${BY_USER}; ${STAT}`,
  );
  return [shown, await lab.in('u', STAT)];
}

describe.skipIf(oracle.skip)(oracle.title('as fuse-overlayfs'), () => {
  test.each([
    ['uidmapping=0:1000:50,gidmapping=0:2000:50'],
    ['uidmapping=:0:1000:1:1:1002:10:20:5000:50,gidmapping=:0:2000:1:1:2001:65536'],
    ['squash_to_root'],
    ['squash_to_uid=77,squash_to_gid=88'],
    ['squash_to_uid=77'],
    ['squash_to_root,squash_to_gid=88,uidmapping=0:1000:50'],
    ['static_nlink'],
  ])('%s', async (options) => {
    expect(await outcome('veneer', options)).toEqual(await outcome('fuse-overlayfs', options));
  });
});

describe.skipIf(gate.skip)(gate.title('id maps'), () => {
  const MAP = 'uidmapping=0:1000:50,gidmapping=0:2000:50';

  test('refuse an owner that has no number on disk', async () => {
    using lab = new MountLab('idmap');
    await lab.in('l', 'echo > f; chown 5:5 f');
    const said = await lab.on(MAP, 'chown 99 f 2>&1 || true; chgrp 99 f 2>&1 || true; stat -c %u:%g f');
    expect(said).toBe(
      "chown: changing ownership of 'f': Invalid argument\nchgrp: changing group of 'f': Invalid argument\n1005:2005\n",
    );
    expect(await lab.in('u', 'ls')).toBe('');
  });

  test('hold in ACLs, inherited ones too', async () => {
    using lab = new MountLab('idmap');
    await lab.in(
      'l',
      'echo > f; setfacl -m u:2:rwx,g:4:r f; echo > g; setfacl -m u:60:r g; mkdir d; setfacl -d -m u:3:rw d',
    );
    const entries = (file: string): string =>
      `getfacl -nc ${file} | grep -E '^(user|group):[0-9]' | tr '\\n' ' '; echo`;
    const said = await lab.on(
      MAP,
      `${entries('f')}; ${entries('g')}; setfacl -m u:1007:r,g:2008:r f; echo > d/new; ${entries('f')}; ${entries('d/new')};
       setfacl -m u:7:r d/new 2>&1 || true`,
    );
    expect(said.split('\n')).toEqual([
      'user:1002:rwx group:2004:r-- ',
      'user:65534:r-- ',
      'user:1002:rwx user:1007:r-- group:2004:r-- group:2008:r-- ',
      'user:1003:rw- ',
      'setfacl: d/new: Invalid argument',
      '',
    ]);
    expect(await lab.in('u', entries('d/new'))).toBe('user:3:rw- \n');
  });

  test('decide who may do what', async () => {
    using lab = new MountLab('idmap');
    await lab.in('l', 'echo secret > f; chmod 600 f; chown 2:2 f');
    const as = (uid: number): string => `setpriv --reuid ${String(uid)} --regid 2 --clear-groups cat f 2>&1 || true`;
    expect(await lab.on(MAP, `${as(1002)}; ${as(2)}`)).toBe('secret\ncat: f: Permission denied\n');
  });

  test('hold for O_TMPFILE, and after a re-mount', async () => {
    using lab = new MountLab('idmap');
    await lab.mount('uidmapping=5:0:1,gidmapping=6:0:1');
    const dirfd = must(openat(AT_FDCWD, lab.at('m'), O_RDONLY | O_DIRECTORY), 'open');
    const fd = must(openat(dirfd, '.', O_TMPFILE | O_RDWR, 0o600), 'open');
    const stat = new Stat();
    must(fstatx(fd, stat), 'statx');
    must(linkFd(fd, { dirfd, name: 't' }), 'linkat');
    close(fd);
    close(dirfd);
    await lab.unmount();
    expect([stat.uid, stat.gid]).toEqual([0, 0]);
    expect(await lab.in('u', 'stat -c %u:%g t')).toBe('5:6\n');
    expect(await lab.on(MAP, 'stat -c %u:%g t')).toBe('1005:2006\n');
    expect(await lab.on('', 'stat -c %u:%g t')).toBe('5:6\n');
  });
});

describe.skipIf(gate.skip)(gate.title('static_nlink'), () => {
  test('shows one link for every directory', async () => {
    using lab = new MountLab('nlink');
    await lab.in('l', 'mkdir -p a/b a/c a/d; echo > f; ln f g');
    const stat = 'mkdir new new/sub; stat -c "%n %h" a a/b new f; ls -lR >/dev/null; stat -c "%n %h" a';
    expect(await lab.on('static_nlink', stat)).toBe('a 1\na/b 1\nnew 1\nf 2\na 1\n');
  });
});
