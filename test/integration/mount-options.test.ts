// Each option of a mount does what its name says, seen from outside.

import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { MountLab } from '../helpers/mount-program.js';
import { run } from '../helpers/other-process.js';
import { buryServer } from '../helpers/death.js';
import { requires } from '../helpers/requires.js';

const gate = requires('root', 'fuse', 'build', 'kernel-overlay', 'acl', 'setpriv');

async function serversOf(lab: MountLab): Promise<string[]> {
  const found = await run('pgrep', ['-f', `server-main.cjs ${lab.at('m')}$`]);
  return found.stdout.trim().split('\n');
}

async function killServer(lab: MountLab): Promise<void> {
  for (const pid of await serversOf(lab)) {
    process.kill(Number(pid), 'SIGKILL');
    await buryServer(Number(pid), lab.at('m'));
  }
}

describe.skipIf(gate.skip)(gate.title('volatile'), () => {
  test.each(['volatile', 'fsync=0'])(
    '%s leaves the marker while it is mounted, and none after a clean un-mount',
    async (option) => {
      using lab = new MountLab('volatile');
      await lab.mount(option);
      expect(existsSync(lab.at('w/work/incompat/volatile'))).toBe(true);
      await lab.in('m', 'echo x > f; sync f');
      await lab.unmount();
      expect(existsSync(lab.at('w/work/incompat'))).toBe(false);
      expect(await lab.on('', 'cat f')).toBe('x\n');
    },
  );

  test('after a crash no mount is made, by us or by the kernel, until the marker is removed', async () => {
    using lab = new MountLab('volatile');
    await lab.mount('volatile');
    await lab.in('m', 'echo x > f');
    await killServer(lab);
    for (const options of ['', 'volatile']) {
      const { status, stderr } = await lab.tryMount(options);
      expect(status).toBe(1);
      expect(stderr).toBe(
        `veneer: '${lab.at('w')}' belongs to a volatile mount that was not un-mounted cleanly\n  hint: its upper directory may have lost data; to use it all the same, remove ${lab.at('w')}/work/incompat/volatile\n`,
      );
    }
    const kernel = await run('mount', ['-t', 'overlay', 'o', '-o', 'lowerdir=l,upperdir=u,workdir=w', 'm'], {
      cwd: lab.temp.path,
    });
    expect(kernel.status).not.toBe(0);
    await lab.in('w', 'rmdir work/incompat/volatile');
    expect(await lab.on('', 'cat f')).toBe('x\n');
  });

  test('what kernel overlayfs left marked is refused, too', async () => {
    using lab = new MountLab('volatile');
    await lab.in('.', 'mount -t overlay o -o volatile,lowerdir=l,upperdir=u,workdir=w m; umount m');
    expect((await lab.tryMount('')).stderr).toMatch(/belongs to a volatile mount/);
  });

  test('a crash without it is no reason to refuse', async () => {
    using lab = new MountLab('volatile');
    await lab.mount('');
    await lab.in('m', 'echo x > f');
    await killServer(lab);
    expect(await lab.on('', 'cat f')).toBe('x\n');
  });
});

describe.skipIf(gate.skip)(gate.title('timeout'), () => {
  const LOWER = 'echo > f; chmod 644 f; mkdir d; echo > d/x';

  test.each([
    ['timeout=0', '600', 'd/late'],
    ['timeout=0.2', '600', 'd/late'],
    ['', '644', 'no'],
  ])("with '%s', a change of a lower layer shows or not", async (option, mode, late) => {
    using lab = new MountLab('timeout');
    await lab.in('l', LOWER);
    await lab.mount(option);
    await lab.in('m', 'stat f; ! stat d/late 2>/dev/null');
    await lab.in('l', 'chmod 600 f; echo > d/late');
    await sleep(400);
    const seen = await lab.in('m', 'stat -c %a f; ls d/late 2>/dev/null || echo no');
    await lab.unmount();
    expect(seen).toBe(`${mode}\n${late}\n`);
  });
});

describe.skipIf(gate.skip)(gate.title('noacl'), () => {
  const LOWER = 'echo a > f; chmod 600 f; setfacl -m u:1003:rw f; mkdir d; chmod 777 d; setfacl -d -m u:1003:rwx d';
  const SCRIPT = `setpriv --reuid 1003 --regid 1003 --clear-groups cat f 2>&1 || true; umask 022; echo > d/x; stat -c %a d/x`;

  test('ACLs do not count, nor does a default one go before the umask', async () => {
    using lab = new MountLab('noacl');
    await lab.in('l', LOWER);
    expect(await lab.on('noacl', SCRIPT)).toBe('cat: f: Permission denied\n644\n');
  });

  test('without it they do', async () => {
    using lab = new MountLab('noacl');
    await lab.in('l', LOWER);
    expect(await lab.on('', SCRIPT)).toBe('a\n666\n');
  });
});

describe.skipIf(gate.skip)(gate.title('xino'), () => {
  test.each(['off', 'auto', 'on'])('%s: numbers of several file systems differ and stay', async (xino) => {
    using lab = new MountLab('xino');
    await lab.in('.', 'mkdir l2; mount -t tmpfs tmpfs l2; mkdir l2/d; echo > l2/d/a; mkdir l/d; echo > l/d/b');
    const options = `xino=${xino},lowerdir=${lab.at('l')}:${lab.at('l2')},upperdir=${lab.at('u')},workdir=${lab.at('w')}`;
    const numbers = "stat -c '%i %d' d/a d/b; ls -i d | sort -k 2 | awk '{print $1}'";
    const [a, b, listedA, listedB] = (await lab.on(options, `${numbers}; echo >> d/a; echo >> d/b`)).split('\n');
    const again = (await lab.on(options, numbers)).split('\n');
    expect(a!.split(' ')[0]).toBe(listedA);
    expect(b!.split(' ')[0]).toBe(listedB);
    expect(listedA).not.toBe(listedB);
    expect(a!.split(' ')[1]).toBe(b!.split(' ')[1]);
    expect(again.slice(2, 4)).toEqual([listedA, listedB]);
  });
});

describe.skipIf(gate.skip)(gate.title('redirect_dir=off'), () => {
  const LOWER = 'mkdir -p d/sub full; echo x > d/sub/x; echo y > full/y';

  test.each(['redirect_dir=off', 'redirect_dir=nofollow', 'kernel'])(
    'directories with lower contents cannot be renamed, others can: %s',
    async (options) => {
      using lab = new MountLab('redirect');
      await lab.in('l', LOWER);
      const script = `
        rename() { "$NODE" -e 'try { fs.renameSync(process.argv[1], process.argv[2]); console.log("ok") } catch (e) { console.log(e.code) }' "$1" "$2"; }
        rename d e; touch d/new; rename d e; rename d full; mkdir made; rename made made2; rm -r full; mkdir full; touch full/z; rename full full2
        rename d/sub/x d/x; ls -R`;
      const text = `NODE=${process.execPath}; ${script}`;
      let said: string;
      if (options === 'kernel') {
        await lab.in('.', 'mount -t overlay o -o redirect_dir=off,lowerdir=l,upperdir=u,workdir=w m');
        said = await lab.in('m', text);
        await lab.in('.', 'umount m');
      } else said = await lab.on(options, text);
      expect(said).toBe(
        'EXDEV\nEXDEV\nEXDEV\nok\nok\nok\n.:\nd\nfull2\nmade2\n\n./d:\nnew\nsub\nx\n\n./d/sub:\n\n./full2:\nz\n\n./made2:\n',
      );
    },
  );

  test('what mv copies instead, kernel overlayfs shows without redirects', async () => {
    using lab = new MountLab('redirect');
    await lab.in('l', LOWER);
    await lab.on('redirect_dir=off', 'mv d e');
    await lab.in('.', 'mount -t overlay o -o redirect_dir=nofollow,lowerdir=l,upperdir=u,workdir=w m');
    expect(await lab.in('m', 'cat e/sub/x; ls')).toBe('x\ne\nfull\n');
    expect(await lab.in('.', 'umount m; getfattr -R -d -m redirect u')).toBe('');
  });

  test('redirects that are there are followed', async () => {
    using lab = new MountLab('redirect');
    await lab.in('l', LOWER);
    await lab.on('', 'mv d e');
    expect(await lab.on('redirect_dir=off', 'cat e/sub/x')).toBe('x\n');
  });

  test('with nofollow what has one is refused, by kernel overlayfs, too', async () => {
    using lab = new MountLab('redirect');
    await lab.in('l', LOWER);
    await lab.on('', 'mv d e; touch new');
    const script = '! ls e 2>&1 | grep -o "Operation not permitted"; ls new full';
    const shown = 'Operation not permitted\nnew\n\nfull:\ny\n';
    expect(await lab.on('redirect_dir=nofollow', script)).toBe(shown);
    await lab.in('.', 'mount -t overlay o -o redirect_dir=nofollow,lowerdir=l,upperdir=u,workdir=w m');
    expect(await lab.in('m', script)).toBe(shown);
    await lab.in('.', 'umount m');
    expect(await lab.on(`redirect_dir=nofollow,lowerdir=${lab.at('u')}:${lab.at('l')}`, script)).toBe(shown);
    expect(await lab.on('', 'cat e/sub/x')).toBe('x\n');
  });
});

test.skipIf(gate.skip)(gate.title('index and metacopy are accepted: hard links stay linked'), async () => {
  using lab = new MountLab('index');
  await lab.in('l', 'echo 1 > a; ln a b');
  const { stderr, status } = await lab.tryMount('index=off,metacopy=on');
  expect([stderr, status]).toEqual(['', 0]);
  await lab.in('m', 'echo 2 >> a');
  expect(readFileSync(lab.at('m/b'), 'utf8')).toBe('1\n2\n');
  await lab.unmount();
});

describe.skipIf(gate.skip)(gate.title('low_latency'), () => {
  const DEVICE = '/dev/cpu_dma_latency';
  const DRIVER = '/sys/devices/system/cpu/cpuidle/current_driver';
  const listens = existsSync(DEVICE) && existsSync(DRIVER) && readFileSync(DRIVER, 'latin1').trim() !== 'none';

  test.each([
    ['', listens],
    ['low_latency=on', listens],
    ['low_latency=off', false],
  ])('a server with "%s" asks the kernel for awake processors: %s', async (option, expected) => {
    using lab = new MountLab('latency');
    await lab.mount(option);
    const [server] = await serversOf(lab);
    const files = readdirSync(`/proc/${server!}/fd`).map((fd) => readlinkSync(`/proc/${server!}/fd/${fd}`));
    expect(files.includes(DEVICE)).toBe(expected);
    await lab.unmount();
  });
});
