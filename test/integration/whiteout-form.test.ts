// Whiteouts as files with an attribute: an upper inside another overlay, where the device 0/0 cannot be made. All that
// whiteouts do is done with them, and a kernel overlayfs stacked on top shows the same.

import { mkdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { MountLab } from '../helpers/mount-program.js';
import { requires } from '../helpers/requires.js';

const gate = requires('root', 'fuse', 'build', 'kernel-overlay', 'mknod');

const LOWER =
  'mkdir -p d/e full; echo a > a; echo b > b; echo c > d/c; echo e > d/e/e; echo f > full/f; echo x > x; echo y > y; ln -s a s';
const SHOW = "find . -mindepth 1 -printf '%P %y\\n' | sort; cat $(find . -type f | sort)";

describe.skipIf(gate.skip)(gate.title('whiteouts in the attribute form'), () => {
  test('hide, give way, move, and last', async () => {
    using lab = new MountLab('whiteout-form');
    for (const name of ['ol', 'ou', 'ow', 'outer', 'k', 'kw']) mkdirSync(lab.at(name));
    await lab.in('l', LOWER);
    await lab.in('.', `mount -t overlay overlay -o lowerdir=ol,upperdir=ou,workdir=ow outer; mkdir outer/u outer/w`);
    const options = `lowerdir=${lab.at('l')},upperdir=${lab.at('outer/u')},workdir=${lab.at('outer/w')}`;
    const work = `
      rm a; ! cat a 2>/dev/null; ls -d a 2>&1 | grep -c 'No such'
      rm b; echo new b > b
      rm x; ln y x
      rm s; mkdir s; touch s/in
      mv d d2; ! ls d 2>/dev/null; mv d2/c d2/c2; rm d2/e/e; rmdir d2/e
      rm full/f; rmdir full; mkdir full; touch full/fresh
      echo t > t; mv t y`;
    const first = await lab.on(options, `${work}; ${SHOW}`);
    const tree = 'b f\nd2 d\nd2/c2 f\nfull d\nfull/fresh f\ns d\ns/in f\nx f\ny f\nnew b\nc\ny\nt\n';
    expect(first).toBe(`1\n${tree}`);
    expect(await lab.on(options, SHOW)).toBe(tree);
    expect(
      await lab.in(
        'outer/u',
        "find . -type c; find . -name '#*'; getfattr -R -d -m trusted.overlay.whiteout . | grep -c '^# file'",
      ),
    ).toBe('4\n');
    await lab.in(
      '.',
      `mkdir outer/w2; mount -t overlay overlay -o redirect_dir=on,index=off,lowerdir=outer/u:l,upperdir=ow/../kw,workdir=kw k 2>/dev/null || mount -t overlay overlay -o redirect_dir=follow,lowerdir=outer/u:l k`,
    );
    expect(await lab.in('k', SHOW)).toBe(tree);
  });
});
