// xattr_permissions: owners, modes and devices kept in an attribute. fuse-overlayfs 1.10 is the oracle for files and
// directories under option 1; it forces permissions of 0755 on what it makes, so its files are compared after a chmod.

import { describe, expect, test } from 'vitest';
import { MountLab } from '../helpers/mount-program.js';
import { requires } from '../helpers/requires.js';

const gate = requires('root', 'fuse', 'build', 'acl', 'setpriv', 'mknod');
const oracle = requires('root', 'fuse', 'build', 'fuse-overlayfs');

const CONTAINERS = 'user.containers.override_stat';
const PRIVILEGED = 'security.fuseoverlayfs.override_stat';
const STAT = "find . -mindepth 1 -printf '%P %y %U:%G %m\\n' | sort";
const value = (name: string, file: string): string => `getfattr -h --only-values -n ${name} ${file}; echo`;

/** Makes, changes and looks at files of all types; the same before and after a re-mount. */
const WORK = `
  umask 022
  echo x > new; chown 8:9 new; chmod 4751 new
  chown 3:4 lower; chmod 640 lower
  mkdir dir; chmod 700 dir; chown 5:6 dir
  mknod char c 1 5; mknod block b 8 1; mkfifo pipe; chown 2:2 char block pipe
  ln -s new link; chown -h 4:4 link
  ln new hard
  chown 7:7 fifo null
`;
const SHOWN = `
block b 2:2 644
char c 2:2 644
dir d 5:6 700
fifo p 7:7 644
hard f 8:9 4751
link l 4:4 777
lower f 3:4 640
new f 8:9 4751
null c 7:7 600
pipe p 2:2 644
`.trimStart();

describe.skipIf(gate.skip)(gate.title('xattr_permissions'), () => {
  test.each([
    [1, PRIVILEGED],
    [2, CONTAINERS],
  ])('%d: owners and types are in an attribute, and all comes back', async (option, name) => {
    using lab = new MountLab('override');
    await lab.in('l', 'echo lower > lower; mkfifo fifo; mknod null c 1 3; chmod 600 null');
    expect(await lab.on(`xattr_permissions=${String(option)}`, `${WORK} ${STAT}; stat -c %t:%T char block null`)).toBe(
      `${SHOWN}1:5\n8:1\n1:3\n`,
    );
    expect(await lab.on(`xattr_permissions=${String(option)}`, `${STAT}; cat lower`)).toBe(`${SHOWN}lower\n`);
    const files = ['new', 'lower', 'dir', 'char', 'block', 'pipe', 'fifo', 'null'];
    expect(await lab.in('u', files.map((file) => value(name, file)).join(';'))).toBe(
      '8:9:104751\n3:4:100640\n5:6:40700\n2:2:644:char-1-5\n2:2:644:block-8-1\n2:2:644:pipe\n7:7:644:pipe\n7:7:600:char-1-3\n',
    );
    const links = option === 1 ? 'link l 0:0 777' : 'link l 4:4 777';
    expect(await lab.in('u', STAT)).toBe(
      ['block f 0:0 644', 'char f 0:0 644', 'dir d 0:0 700', 'fifo f 0:0 644', 'hard f 0:0 751', links]
        .concat('lower f 0:0 640', 'new f 0:0 751', 'null f 0:0 600', 'pipe f 0:0 644', '')
        .join('\n'),
    );
  });

  test('is read in every layer', async () => {
    using lab = new MountLab('override');
    await lab.in(
      '.',
      'mkdir l2; echo top > l/top; echo base > l2/base; : > l2/zero; mkdir l2/dir; echo bad > l2/bad; echo old > l2/old',
    );
    await lab.in(
      '.',
      `setfattr -n ${CONTAINERS} -v 1:2:0640 l/top; setfattr -n ${CONTAINERS} -v 3:4:4711:file l2/base`,
    );
    await lab.in(
      '.',
      `setfattr -n ${CONTAINERS} -v 5:6:0666:char-1-5 l2/zero; setfattr -n ${CONTAINERS} -v 7:8:02755:dir l2/dir`,
    );
    await lab.in(
      '.',
      `setfattr -n ${CONTAINERS} -v rubbish l2/bad; setfattr -n user.fuseoverlayfs.override_stat -v 9:9:100600 l2/old`,
    );
    const options = `lowerdir=${lab.at('l')}:${lab.at('l2')},xattr_permissions=2`;
    expect(await lab.on(options, `${STAT}; head -c 2 zero | od -An -tx1; ls -lR > /dev/null; ${STAT}`)).toBe(
      ['bad f 0:0 644', 'base f 3:4 4711', 'dir d 7:8 2755', 'old f 9:9 600', 'top f 1:2 640', 'zero c 5:6 666']
        .concat(
          ' 00 00',
          'bad f 0:0 644',
          'base f 3:4 4711',
          'dir d 7:8 2755',
          'old f 9:9 600',
          'top f 1:2 640',
          'zero c 5:6 666',
          '',
        )
        .join('\n'),
    );
    expect(await lab.on(options.replace(/2$/, '0'), 'stat -c %u:%g top')).toBe('0:0\n');
  });

  test('is hidden from users, who cannot set it', async () => {
    using lab = new MountLab('override');
    await lab.in('l', `echo > f; setfattr -n ${CONTAINERS} -v 1:1:100644 f; setfattr -n user.own -v x f`);
    const said = await lab.on(
      'xattr_permissions=2',
      `chown 2:2 f; getfattr -d -m - f
       for n in ${CONTAINERS} ${PRIVILEGED} user.fuseoverlayfs.override_stat; do
         getfattr -n $n f 2>&1 || true; setfattr -n $n -v 0:0:4755 f 2>&1 || true; setfattr -x $n f 2>&1 || true
       done; stat -c '%u:%g %a' f`,
    );
    const refusals = [CONTAINERS, PRIVILEGED, 'user.fuseoverlayfs.override_stat'].flatMap((name) => [
      `f: ${name}: No such attribute`,
      'setfattr: f: Operation not permitted',
      'setfattr: f: No such attribute',
    ]);
    expect(said.split('\n')).toEqual(['# file: f', 'user.own="x"', '', ...refusals, '2:2 644', '']);
  });

  test('decides who may do what, and writes take setuid away', async () => {
    using lab = new MountLab('override');
    await lab.in(
      'l',
      `echo > f; setfattr -n ${CONTAINERS} -v 1002:1002:600 f; echo > s; setfattr -n ${CONTAINERS} -v 5:5:6777 s`,
    );
    const as = (uid: number, command: string): string =>
      `setpriv --reuid ${String(uid)} --regid ${String(uid)} --clear-groups sh -c '${command}' 2>&1 || true`;
    const said = await lab.on(
      'xattr_permissions=2',
      `${as(1003, 'cat f')}; ${as(1002, 'echo mine > f')}; cat f; ${as(1003, 'echo x >> s')}; stat -c %a s
       chmod 6777 s; chown 9 s; stat -c '%u %a' s; mkdir d; chgrp 33 d; chmod 2777 d; ${as(1003, 'echo > d/f; mkdir d/d')}
       stat -c '%n %u:%g %a' d/f d/d`,
    );
    expect(said).toBe('cat: f: Permission denied\nmine\n777\n9 777\nd/f 1003:33 644\nd/d 1003:33 2755\n');
  });

  test('goes along with ACLs', async () => {
    using lab = new MountLab('override');
    const said = await lab.on(
      'xattr_permissions=2',
      `echo > f; chmod 640 f; setfacl -m u:3:rwx,u::r,o::- f; stat -c %a f; chmod 700 f; getfacl -nc f | tr '\\n' ' '; echo
       mkdir d; setfacl -d -m u:4:r d; umask 077; echo > d/f; stat -c %a d/f; getfacl -nc d/f | grep user:4`,
    );
    expect(said.replaceAll('\t', ' ').split('\n')).toEqual([
      '470',
      'user::rwx user:3:rwx #effective:--- group::r-- #effective:--- mask::--- other::---  ',
      '644',
      'user:4:r--',
      '',
    ]);
  });

  test('goes along with an id map', async () => {
    using lab = new MountLab('override');
    await lab.in('l', `echo > f; setfattr -n ${CONTAINERS} -v 5:5:644 f`);
    const said = await lab.on('xattr_permissions=2,uidmapping=0:1000:50', 'stat -c %u f; chown 1007 f; stat -c %u f');
    expect(said).toBe('1005\n1007\n');
    expect(await lab.in('u', value(CONTAINERS, 'f'))).toBe('7:5:100644\n');
  });
});

describe.skipIf(oracle.skip)(oracle.title('xattr_permissions=1, as fuse-overlayfs'), () => {
  const MAKE = 'echo > f; chmod 640 f; chown 8:9 f; mkdir d; chmod 750 d; chown 3:4 d; chmod 604 low';

  test.each([
    ['veneer', 'fuse-overlayfs'],
    ['fuse-overlayfs', 'veneer'],
  ] as const)('what %s wrote, %s shows', async (writer, reader) => {
    using lab = new MountLab('override', writer);
    await lab.in('l', 'echo > low');
    const written = await lab.on('xattr_permissions=1', `${MAKE}; ${STAT}`);
    const onDisk = await lab.in('u', ['f', 'd', 'low'].map((file) => value(PRIVILEGED, file)).join(';'));
    // What tells fuse-overlayfs 1.10 to look for attributes in a layer.
    await lab.in('.', `setfattr -n ${PRIVILEGED} -v 0:0:40755 l; setfattr -n ${PRIVILEGED} -v 0:0:40755 u`);
    using other = new MountLab('override', reader);
    const options = `xattr_permissions=1,lowerdir=${lab.at('l')},upperdir=${lab.at('u')},workdir=${lab.at('w')}`;
    expect(await other.on(options, STAT)).toBe(written);
    expect(onDisk).toMatch(/^\d+:\d+:100640\n\d+:\d+:40750\n\d+:\d+:100604\n$/);
  });
});
