// A plain user's mounts, through fusermount3. What the kernel refuses to users is refused, too: chown to others, devices,
// passthrough, trusted.* attributes.

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { requires } from '../helpers/requires.js';
import { CLI } from '../helpers/run-cli.js';
import { RootlessLab, USER } from '../helpers/rootless-lab.js';

const needs = requires('root', 'fuse', 'build', 'setpriv', 'mknod', 'fusermount3', 'acl');
const mayRun =
  spawnSync('setpriv', ['--reuid', String(USER), '--clear-groups', process.execPath, CLI, '--version']).status === 0;
const gate =
  needs.skip || mayRun
    ? needs
    : { skip: true, title: (text: string) => `${text} (skipped: users may not run the build)` };

const MOUNT = 'veneer overlay -o lowerdir=l,upperdir=u,workdir=w';
/** Un-mounts and waits until the server is gone. */
const UNMOUNT = 'veneer umount m > /dev/null';
const LOWER = 'mkdir -p l/d/e; echo a > l/a; echo b > l/b; echo c > l/d/c; ln -s a l/s; ln l/a l/hard;';
const SHOW =
  "find . -mindepth 1 \\( -type d -printf '%P/\\n' -o -type l -printf '%P -> %l\\n' -o -printf '%P %s\\n' \\) | sort";

describe.skipIf(gate.skip)(gate.title('a plain user'), () => {
  test("mounts, and the mount is the user's", async () => {
    using lab = new RootlessLab('rootless');
    const said = await lab.on(
      `${LOWER} ${MOUNT} m; grep " $PWD/m " /proc/self/mountinfo | sed 's/.* - //'; cat m/a; ${UNMOUNT}; ls m`,
    );
    expect(said).toBe(
      `fuse.veneer veneer rw,user_id=${String(USER)},group_id=${String(USER)},default_permissions\na\n`,
    );
  });

  test('un-mounts by fusermount3, and the server ends', async () => {
    using lab = new RootlessLab('rootless');
    const said = await lab.on(`${LOWER} ${MOUNT} m; echo x > m/x; fusermount3 -u m; ls m u; flock -w 10 w echo ended`);
    expect(said).toBe('m:\n\nu:\nx\nended\n');
  });

  test('ends the server by a signal, which un-mounts', async () => {
    using lab = new RootlessLab('rootless');
    const said = await lab.on(
      `${LOWER} "$NODE" "$CLI" ${MOUNT.replace('veneer ', '')} -f m 2>log & until [ -e m/a ]; do sleep 0.1; done; kill $!; wait $!; echo $?; ls m`,
    );
    expect(said).toBe('0\n');
  });

  test('changes files in all ways, and finds them so after a re-mount', async () => {
    using lab = new RootlessLab('rootless');
    const expected = ['again/', 'b 4', 'd2/', 'd2/c 2', 'd2/e/', 'd2/new 2', 'hard 4', 'link 4', 's -> a', ''].join(
      '\n',
    );
    const said = await lab.on(`${LOWER} ${MOUNT} m; cd m
      echo b >> hard; rm a b; echo new > b; mv d d2; echo n > d2/new; mkdir again; ln hard link
      rmdir d2/e; mkdir d2/e; setfacl -m u:7:rw b; setfattr -n user.own -v x b; chmod 4750 b; touch -d @1000000000 hard
      ${SHOW}; cd ..; ${UNMOUNT}; ${MOUNT} m; cd m; ${SHOW}; stat -c '%a %u' b; getfattr --only-values -n user.own b; echo
      getfacl -nc b | grep user:7; stat -c %Y hard; cd ..; ${UNMOUNT}; getfattr -h -d -m - -R u | grep -c user.overlay`);
    expect(
      said.startsWith(`${expected}${expected}4750 ${String(USER)}\nx\nuser:7:rw-\t#effective:r--\n1000000000\n`),
    ).toBe(true);
    expect(said).not.toMatch(/\n0\n$/);
  });

  test('keeps hard links linked, and inode numbers the same, over copy-up and re-mount', async () => {
    using lab = new RootlessLab('rootless');
    const look = "stat -c '%n %i %h' a hard";
    const said = await lab.on(`${LOWER} ${MOUNT} m; cd m; ${look} > ../1; echo 2 >> a; cd ..; ${UNMOUNT}
      ${MOUNT} m; cd m; cat hard; ${look} > ../2; echo 3 >> hard; cat a; cd ..; ${UNMOUNT}
      ${MOUNT} m; cd m; ${look} > ../3; cd ..; ${UNMOUNT}; cat 1 2 3 | sort | uniq -c | sed 's/ [0-9]* 2$/ 2/'`);
    expect(said).toBe('a\n2\na\n2\n3\n      3 a 2\n      3 hard 2\n');
  });

  test('may not do what users may not', async () => {
    using lab = new RootlessLab('rootless');
    const { stdout, stderr } = await lab.try(`${LOWER} ${MOUNT} m; cd m
      chown 1 a || echo refused; mknod null c 1 3 || echo refused; setfattr -n trusted.x -v y a || echo refused
      cd ..; ${UNMOUNT}; find u -mindepth 1`);
    expect(stdout).toBe('refused\nrefused\nrefused\n');
    expect(stderr.match(/Operation not permitted/g)).toHaveLength(3);
  });

  test("keeps a container's owners and devices with xattr_permissions=2", async () => {
    using lab = new RootlessLab('rootless');
    const said = await lab.on(`echo x > l/f; setfattr -n user.containers.override_stat -v 5:6:4711 l/f
      ${MOUNT},xattr_permissions=2 m; stat -c '%u:%g %a' m/f; mkdir m/d; touch -d @1 m/d; ${UNMOUNT}
      getfattr --only-values -n user.containers.override_stat u/d; echo`);
    expect(said).toBe(`5:6 4711\n${String(USER)}:${String(USER)}:40755\n`);
  });

  test.each([
    ['', 'Permission denied'],
    ['user_allow_other\n', 'a'],
  ])('lets others in as /etc/fuse.conf (%j) says', async (fuseConf, outcome) => {
    using lab = new RootlessLab('rootless');
    // Root itself is one of the others.
    const script = `${LOWER} ${MOUNT} m; echo ready > run/ready; until [ -e run/done ]; do sleep 0.1; done; ${UNMOUNT}`;
    const work = lab.on(script, { fuseConf });
    const look = `until [ -e run/ready ]; do sleep 0.1; done
      pid=$(pgrep -f "server-main.cjs $PWD/m$" | head -n 1)
      nsenter -t "$pid" -m setpriv --reuid 1 --regid 1 --clear-groups cat "$PWD/m/a" 2>&1 || true; touch run/done`;
    const { run } = await import('../helpers/other-process.js');
    const said = await run('sh', ['-c', look], { cwd: lab.temp.path });
    await work;
    expect(said.stdout).toContain(outcome);
  });

  test.each([
    [
      'a mount point that is not theirs',
      'veneer overlay -o lowerdir=l /mnt',
      /^veneer: cannot mount on '\/mnt': user has no write access to mountpoint/,
    ],
    ['a mount point that does not exist', `${MOUNT} nowhere`, /^veneer: overlay: mount point 'nowhere'/],
    ['nothing mounted', 'veneer umount m', /^veneer: .*m'?/],
  ])('is told what is wrong: %s', async (_what, command, why) => {
    using lab = new RootlessLab('rootless');
    const { status, stderr } = await lab.try(command);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(why);
  });

  test('is told where there is no helper', async () => {
    using lab = new RootlessLab('rootless');
    const { stderr } = await lab.try('PATH=/nowhere; veneer overlay -o lowerdir=l m');
    expect(stderr).toMatch(
      /^veneer: cannot mount on .*: operation not permitted.*\n {2}hint: mounting needs root, a user namespace \(unshare -Urm\), or fusermount3 \(package fuse3\)\n$/,
    );
  });
});
