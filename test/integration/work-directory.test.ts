// The work directory: what it may not pass on to what is made in it.

import { afterEach, describe, expect, test } from 'vitest';
import { MountLab } from '../helpers/mount-program.js';
import { missing, requires } from '../helpers/requires.js';

const gate = requires('root', 'fuse', 'build', 'trusted-xattr');

let lab: MountLab | undefined;
afterEach(() => {
  lab?.[Symbol.dispose]();
  lab = undefined;
});

describe.skipIf(gate.skip)(gate.title('a work directory'), () => {
  test.skipIf(missing('acl') !== undefined)('with a group and an ACL of its own gives them to nothing', async () => {
    lab = new MountLab('work-acl');
    await lab.in('l', 'mkdir d gone; echo x > f; echo x > g; ln -s x s');
    await lab.in('.', 'chgrp 77 w; chmod 2775 w; setfacl -d -m u:5:rwx,o::rwx w');
    const seen = await lab.on(
      '',
      `umask 022; echo + >> f; chmod 700 d; chown -h 3 s; rmdir gone; mkdir gone; rm g; echo new > g
       stat -c '%n %a %g' d f g gone; stat -c '%n %g' s; getfacl -nc d f g gone | grep -c -e default -e :5: || true`,
    );
    expect(seen).toBe('d 700 0\nf 644 0\ng 644 0\ngone 755 0\ns 0\n0\n');
    expect(await lab.in('w', 'stat -c %a work index')).toBe('700\n700\n');
  });
});

describe.skipIf(gate.skip)(gate.title('directories removed through the mount'), () => {
  const FILES = 200;
  const fill = `mkdir d; cd d; seq ${String(FILES)} | xargs touch`;

  test('leave nothing in the work directory but the whiteout', async () => {
    lab = new MountLab('work-rest');
    await lab.in('l', fill);
    await lab.mount('');
    await lab.in('m', 'rm -r d; test ! -e d');
    await expect.poll(() => lab!.in('w/work', 'find . -type d | wc -l')).toBe('1\n');
    expect(await lab.in('w/work', 'find . -type c | wc -l')).toBe('1\n');
    await lab.unmount();
    expect(await lab.in('w/work', 'ls -A')).toBe('');
    expect(await lab.in('u', 'stat -c %F d')).toBe('character special file\n');
  });

  test('keep what somebody put into the upper directory behind the back of the mount', async () => {
    lab = new MountLab('work-foreign');
    await lab.in('l', fill);
    await lab.mount('');
    await lab.in('m', 'ls -l d >/dev/null; rm d/*');
    await lab.in('u', 'echo precious > d/foreign');
    expect(await lab.in('m', 'rmdir d 2>&1 || true')).toMatch(/not empty/);
    expect(await lab.in('u', 'cat d/foreign')).toBe('precious\n');
    await lab.unmount();
  });
});
