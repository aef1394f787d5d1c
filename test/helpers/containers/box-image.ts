// The image `box`: a small system of Debian's static busybox, with users, groups and links. Made without a network.

import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runProgram } from '../requires.js';

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
ada:x:1000:1000:Ada,,,:/home/ada:/bin/sh
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;

/** `ada` is in two groups besides her own. */
const GROUP = `root:x:0:
daemon:x:1:
staff:x:50:ada
ada:x:1000:
wheel:x:1001:root,ada
nogroup:x:65534:
`;

const DIRECTORIES = 'dev etc home/ada proc root run srv sys tmp usr/bin usr/share/doc var/lib var/log var/tmp';

/** What a mount or an archive of the host must not be led by: absolute, upwards, in a ring, to nothing. */
const LINKS = {
  bin: 'usr/bin',
  sbin: 'usr/bin',
  'var/run': '/run',
  'srv/absolute': '/etc/hostname',
  'srv/upwards': '../../../../../../etc/hostname',
  'srv/ring': 'ring',
  'srv/nothing': 'nowhere',
} as const;

/** Debian's is in /usr/bin or /bin. */
export function findBusybox(): string | undefined {
  return ['/usr/bin/busybox', '/bin/busybox'].find((file) => existsSync(file));
}

/** Writes its tree into a new directory, and a tar of it; returns the tar's path. */
export function writeBoxTar(dir: string): string {
  const root = path.join(dir, 'box');
  const busybox = findBusybox();
  if (busybox === undefined) throw new Error('no busybox program');
  for (const name of DIRECTORIES.split(' ')) mkdirSync(path.join(root, name), { recursive: true });
  copyFileSync(busybox, path.join(root, 'usr/bin/busybox'));
  const applets = runProgram(busybox, ['--list']).split('\n');
  const script = applets
    .filter((name) => /^[^/]+$/.test(name) && name !== 'busybox')
    .map((name) => `ln -s busybox '${name}'`);
  runProgram('sh', ['-euc', script.join('\n')], { cwd: path.join(root, 'usr/bin') });
  runProgram(
    'sh',
    [
      '-euc',
      Object.entries(LINKS)
        .map(([name, target]) => `ln -s '${target}' '${name}'`)
        .join('\n'),
    ],
    { cwd: root },
  );
  writeFileSync(path.join(root, 'etc/passwd'), PASSWD);
  writeFileSync(path.join(root, 'etc/group'), GROUP);
  writeFileSync(path.join(root, 'etc/shadow'), 'root:*:::::::\nada:*:::::::\n', { mode: 0o640 });
  writeFileSync(path.join(root, 'etc/hostname'), 'box\n');
  // As images have them: what the runtime mounts over them is then no change of the container's.
  for (const name of ['hosts', 'resolv.conf']) writeFileSync(path.join(root, 'etc', name), '');
  writeFileSync(path.join(root, 'usr/share/doc/README'), 'busybox has many applets\n');
  const modes = 'chown -R 0:0 . && chown -R 1000:1000 home/ada && chmod 700 root && chmod 1777 tmp var/tmp';
  runProgram('sh', ['-euc', modes], { cwd: root });
  const file = path.join(dir, 'box.tar');
  runProgram('tar', ['-C', root, '--sort=name', '--mtime=@1700000000', '--numeric-owner', '-cf', file, '.']);
  return file;
}
