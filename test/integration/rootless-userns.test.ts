// The root of a user namespace mounts by mount(2). Kernel overlayfs in the same namespace (userxattr) is the oracle: it
// shows what we wrote, and we show what it wrote. It does not follow redirects there, so directories with lower
// contents are renamed in it with redirect_dir=off.

import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { RootlessLab } from '../helpers/rootless-lab.js';

const gate = requires('root', 'fuse', 'build', 'setpriv', 'mknod', 'userns', 'acl');

const LAYERS = 'lowerdir=l,upperdir=u,workdir=w';
const UNMOUNT = 'veneer umount m > /dev/null';
const KERNEL = `mount -t overlay overlay -o userxattr,${LAYERS} k`;
const LOWER = `mkdir -p l/d/e l/full/sub; echo a > l/a; echo b > l/b; echo c > l/d/c; chown 5:6 l/d/c; ln -s a l/s
  echo x > l/full/x; echo y > l/full/sub/y; mkfifo l/p; setfacl -m u:7:rw l/a; chmod 4755 l/b; echo g > l/gone;`;
/** All that can be told of a tree, but for inode numbers and the times of what is new. */
const SHOW =
  "find . -printf '%P %y %m %U:%G %s %l\\n' | sed 's/^\\([^ ]* d [^ ]* [^ ]*\\) .*/\\1/' | sort; find . -type f | sort | xargs cat; find . ! -type l | sort | xargs sh -c 'getfacl -n \"$@\"; getfattr -h -d -m - \"$@\"' sh";
const CHANGE = `echo more >> a; chown 8:9 b; rm gone; echo again > d/gone; rm -r full; mkdir full; echo z > full/z; mv s s2
  mkdir new; mv d/c new/c; chmod 2775 new; setfacl -m u:9:rwx new; setfacl -d -m g:10:rx new; echo i > new/inherits; ln new/c hard
  mknod null c 1 3 2>/dev/null && echo made a device; mkfifo fifo; chown 3:3 fifo; setfattr -n user.x -v y a; touch -d @1 a; rm p; mkdir p;`;

describe.skipIf(gate.skip)(gate.title('in a user namespace'), () => {
  const options = { namespace: true };

  test('a mount is writable, and kernel overlayfs shows the same tree', async () => {
    using lab = new RootlessLab('userns');
    const said = await lab.on(
      `${LOWER} veneer overlay -o ${LAYERS} m; cd m; ${CHANGE} cd ..; (cd m; ${SHOW}) > one; ${UNMOUNT}
       veneer overlay -o ${LAYERS} m; (cd m; ${SHOW}) > two; ${UNMOUNT}; ${KERNEL}; (cd k; ${SHOW}) > three; umount k
       diff -a one two; diff -a one three; stat -c '%n %u:%g' u/b u/new/c u/fifo; stat -c '%F %t:%T' u/gone; wc -l < one`,
      options,
    );
    expect(said).toMatch(/^u\/b 8:9\nu\/new\/c 5:6\nu\/fifo 3:3\ncharacter special file 0:0\n\d\d\d?\n$/);
  });

  test('what kernel overlayfs wrote shows the same, and can be changed on', async () => {
    using lab = new RootlessLab('userns');
    const said = await lab.on(
      `${LOWER} ${KERNEL}; cd k; ${CHANGE} cd ..; (cd k; ${SHOW}) > one; umount k
       veneer overlay -o ${LAYERS} m; (cd m; ${SHOW}) > two; rm m/b; mv m/new m/newer; echo q >> m/d/gone; (cd m; ${SHOW}) > three; ${UNMOUNT}
       ${KERNEL}; (cd k; ${SHOW}) > four; umount k; diff -a one two; diff -a three four; echo same`,
      options,
    );
    expect(said).toBe('same\n');
  });

  test('a lower directory is renamed without copying', async () => {
    using lab = new RootlessLab('userns');
    const said = await lab.on(
      `${LOWER} veneer overlay -o ${LAYERS} m; mv m/full m/moved; ls m/moved m/moved/sub; ${UNMOUNT}; find u/moved -mindepth 1
       veneer overlay -o ${LAYERS} m; cat m/moved/sub/y; ls m; ${UNMOUNT}; getfattr --only-values -n user.overlay.redirect u/moved
       echo; ${KERNEL}; ls k; stat k/moved 2>&1 | grep -o 'Operation not permitted'; umount k`,
      options,
    );
    expect(said).toBe(
      'm/moved:\nsub\nx\n\nm/moved/sub:\ny\ny\na\nb\nd\ngone\nmoved\np\ns\nfull\na\nb\nd\ngone\np\ns\nOperation not permitted\n',
    );
  });

  test('an owner outside the namespace is refused', async () => {
    using lab = new RootlessLab('userns');
    const { stdout, stderr } = await lab.try(
      `echo > l/f; veneer overlay -o ${LAYERS} m; chown 5000 m/f || stat -c %u m/f; ${UNMOUNT}`,
      options,
    );
    expect(stdout).toBe('0\n');
    expect(stderr).toMatch(/Invalid argument/);
  });

  test('owners can be kept in attributes, those beyond the namespace and devices, too', async () => {
    using lab = new RootlessLab('userns');
    const said = await lab.on(
      `echo > l/f; : > l/null; setfattr -n user.containers.override_stat -v 70000:0:666:char-1-3 l/null
       veneer overlay -o ${LAYERS},xattr_permissions=2 m; chown 500 m/f; stat -c '%n %u %a %F' m/f m/null; ${UNMOUNT}
       stat -c '%n %u %a' u/f; getfattr --only-values -n user.containers.override_stat u/f; echo`,
      options,
    );
    // 70000 is nobody's number in the namespace.
    expect(said).toBe('m/f 500 644 regular file\nm/null 65534 666 character special file\nu/f 0 644\n500:0:100644\n');
  });
});
