// A plain user's images and containers: files of many owners, kept in a user namespace that every command enters by itself.

import { chmodSync, chownSync, existsSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeBoxTar } from '../helpers/containers/box-image.js';
import { PlainUser } from '../helpers/plain-user.js';
import { run } from '../helpers/other-process.js';
import { missing, requires, runProgram } from '../helpers/requires.js';

const gate = requires(
  ...([
    'root',
    'fuse',
    'build',
    'setpriv',
    'mknod',
    'userns',
    'newuidmap',
    'busybox',
    'containers',
    'seccomp',
  ] as const),
);

describe.skipIf(gate.skip)(gate.title('a plain user'), () => {
  let user: PlainUser;

  beforeAll(async () => {
    user = new PlainUser();
    chmodSync(writeBoxTar(user.temp.path), 0o644);
    await user.on(`veneer import -c 'CMD ["sh"]' ../box.tar box > id`);
  });

  afterAll(() => {
    user[Symbol.dispose]();
  });

  test('imports files of many owners; they are as containers see them inside, and of his numbers outside', async () => {
    const said = await user.on(`
      veneer images --format '{{.Repository}}:{{.Tag}}'
      veneer export box | tar -tv --numeric-owner home/ada/ etc/shadow | cut -d' ' -f1,2
      stat -c %u:%g "$HOME"/.local/share/veneer/layers/*/diff/home/ada`);
    const ada = String(user.first + 999);
    expect(said).toBe(`box:latest\n-rw-r----- 0/0\ndrwxr-xr-x 1000/1000\n${ada}:${ada}\n`);
  });

  test('makes a container, changes and commits it', async () => {
    const said = await user.on(`
      veneer create --name work box > id
      veneer unshare sh -eu -c '${PRELUDE} cd "$(veneer mount work)"; stat -c "%n %u:%g" home/ada srv; echo x > home/ada/x; chown 1000:50 home/ada/x; rm etc/hostname'
      veneer ps --format '{{.Names}} {{.Status}}'; veneer diff work; veneer commit -q work box:2 > id; veneer umount work
      veneer diff box box:2; veneer export box:2 | tar -tv --numeric-owner home/ada/x | cut -d' ' -f2; veneer system check 2>&1
      veneer rm work; veneer rmi box:2 > id`);
    const changes = 'C /etc\nD /etc/hostname\nC /home\nC /home/ada\nA /home/ada/x\n';
    expect(said).toBe(
      `home/ada 1000:1000\nsrv 0:0\nwork Mounted\n${changes}work\n${changes}1000/50\nThe store is in order.\nwork\n`,
    );
  });

  test('is told where mounts are seen', async () => {
    const { status, stderr } = await user.try('veneer mount box /mnt');
    expect(status).toBe(1);
    expect(stderr).toBe(
      `veneer: mount: what a user mounts is seen in his own namespaces only\n  hint: 'veneer unshare' starts a shell there: veneer unshare sh -c 'cd "$(veneer mount box /mnt)" && ls'\n`,
    );
  });

  test('has one keeper, whoever comes first', async () => {
    user.killAll();
    await user.on('for i in 1 2 3 4; do veneer ps > id$i & done; wait');
    expect(user.processes()).toEqual([{ pid: user.keeper(), command: 'sleep infinity' }]);
    expect(
      runProgram('cat', [`/proc/${String(user.keeper())}/uid_map`])
        .trim()
        .split(/\s+/)
        .map(Number),
    ).toEqual([0, user.uid, 1, 1, user.first, 65_536]);
  });

  test('keeps mounts when the keeper dies, and has none when everything does', async () => {
    await user.on(`veneer create --name kept box > id; veneer unshare "$NODE" "$CLI" mount kept > at`);
    const before = user.mountNamespace(user.keeper());
    process.kill(user.keeper(), 'SIGKILL');
    expect(await user.on(`veneer unshare ls "$(cat at)/home"; veneer ps --format '{{.Status}}'`)).toBe(
      'ada\nMounted\n',
    );
    expect(user.mountNamespace(user.keeper())).toBe(before);
    user.killAll();
    expect(await user.on(`veneer ps -a --format '{{.Status}}'; veneer rm kept`)).toBe('Created\nkept\n');
  });

  test('runs a container: with his limits, the groups he has, and owners of files that stay', async () => {
    const command = 'id; cat /proc/sys/net/ipv4/ping_group_range; grep open /proc/self/limits; echo x >/home/ada/run';
    const { status, stdout, stderr } = await user.try(`
      veneer create --name runner --network none -u ada --ulimit nofile=99999999 --memory 100m --oom-score-adj -900 box sh -c '${command}' > id
      veneer start runner; veneer wait runner; cut -d' ' -f4- .local/share/veneer/containers/*/output.log
      veneer commit runner box:ran > id; veneer diff runner | grep ada; veneer export box:ran | tar -tv --numeric-owner home/ada/run | cut -d' ' -f2
      veneer rm runner; veneer rmi box:ran > id`);
    expect(stdout).toMatch(
      /^runner\n0\nuid=1000\(ada\) gid=1000\(ada\) groups=50\(staff\),(?:1000\(ada\),)?1001\(wheel\)\n0\t65536\nMax open files +\d+ +\d+ +files +\nC \/home\/ada\nA \/home\/ada\/run\n1000\/1000\nrunner\n$/,
    );
    expect(status).toBe(0);
    expect(stderr.split('\n')).toEqual([
      expect.stringMatching(/^veneer: the limit nofile is \d+ instead of 99999999: it may not be raised here$/),
      expect.stringMatching(/^veneer: --oom-score-adj is -?\d+ instead of -900: it may not be lowered here$/),
      'veneer: limits of memory are not kept: no cgroups are delegated to this user',
      '',
    ]);
  });

  test('stops, kills and removes what runs; nothing is left but the keeper', async () => {
    const said = await user.on(`
      veneer create --name sleeper --network none box sleep 100 > id
      for how in 'stop -t 0' kill 'rm -f'; do veneer start sleeper; veneer $how sleeper; done; veneer ps -aq`);
    expect(said).toBe('sleeper\n'.repeat(6));
    expect(user.processes().map(({ command }) => command)).toEqual(['sleep infinity']);
    expect(user.leftovers()).toEqual([]);
  });

  test('runs, executes and reads in the foreground, with exit codes of the command', async () => {
    const said = await user.on(`
      echo in | veneer run --rm -i --network none box sh -c 'cat; exit 3' || echo $?
      veneer run -d --name here --network none box sh -c 'echo begun; exec sleep 100' > id; veneer exec -u ada here id -un; veneer exec here sh -c 'exit 5' || echo $?
      veneer exec here sh -c 'echo x > /home/ada/x; chown ada /home/ada/x'; veneer cp here:/home/ada/x x; stat -c %u x
      veneer logs here; veneer kill here`);
    expect(said).toBe(`in\n3\nada\n5\n${String(user.uid)}\nbegun\nhere\n`);
  });

  test('finds what a log-out has ended as ended, and starts it again', async () => {
    await user.on('veneer rm -f here; veneer run -d --name here --network none box sleep 100 > id');
    user.killAll();
    const said = await user.on(`
      veneer ps -a --format '{{.Names}} {{.State}}'; veneer start here; veneer exec here echo lives; veneer rm -f here`);
    expect(said).toBe('here exited\nhere\nlives\nhere\n');
    expect(user.leftovers()).toEqual([]);
  });

  test.skipIf(missing('pasta') !== undefined)('publishes ports above 1024 from a private network', async () => {
    const said = await user.on(`
      veneer create --name web -p 127.0.0.1::80 box sh -c 'mkdir /www; echo hello >/www/index.html; exec httpd -f -p 80 -h /www' > id
      veneer start web; at=$(veneer port web 80); until busybox wget -qO- "http://$at/" 2>&-; do sleep 0.1; done; veneer rm -f web`);
    expect(said).toBe('web\nhello\nweb\n');
    const { stderr } = await user.try('veneer create --name low -p 80:80 box true > id; veneer start low');
    expect(stderr).toMatch(/^veneer: cannot publish port 80\/tcp: only root may open ports below 1024\n/);
    await user.on('veneer rm low');
    expect(user.leftovers()).toEqual([]);
  });

  test('says which device is shut', async () => {
    const { file, args, ...options } = user.command('veneer create --name shut box true > id; veneer start shut');
    const say = async (device: string): Promise<string> => {
      user.killAll();
      chmodSync(user.at(device), 0o600);
      const { stderr } = await run(file, args, options);
      chmodSync(user.at(device), 0o666);
      await user.on('veneer rm shut');
      return stderr;
    };
    expect(await say('fuse')).toMatch(
      /cannot open \/dev\/fuse: .*\n {2}hint: as the machine's root: chmod 666 \/dev\/fuse\n$/,
    );
    expect(await say('tun')).toMatch(/private network: .*\n {2}hint: users need \/dev\/net\/tun: /);
  });

  test('stays in his directory, and gives and gets what bytes he likes', async () => {
    const said = await user.on(`
      mkdir -p a/b; cd a/b; veneer unshare sh -c 'pwd; id -u; printf %s "$1" | od -An -tx1' sh "$(printf '\\377')"
      echo in | veneer unshare cat; veneer unshare sh -c 'exit 7' || echo $?; rmdir ../b; veneer ps -q; veneer unshare pwd`);
    expect(said).toBe(`${user.at('home', 'a', 'b')}\n0\n ff\nin\n7\n/\n`);
  });

  test('keeps his process id: signals reach the command itself', async () => {
    const said = await user.on(
      `"$NODE" "$CLI" unshare sh -c 'echo $$ > pid; kill -9 $$' 2>&- & pid=$!; wait $pid 2>&- || echo $?; [ "$(cat pid)" = $pid ] || echo another`,
    );
    expect(said).toBe('137\n');
  });

  test('imports a tree with devices, without them, and gets its tar back whole', async () => {
    runProgram(
      'sh',
      [
        '-euc',
        'mkdir -p dev/dev; mknod dev/dev/null c 1 3; mknod dev/dev/sda b 8 0; tar -C dev --sort=name -cf dev.tar .',
      ],
      {
        cwd: user.temp.path,
      },
    );
    const said = await user.on(`
      veneer import ../dev.tar dev > id; veneer export dev | tar -t; veneer system check --deep 2>&1
      veneer save dev > s.tar; tar -xOf s.tar "$(tar -xOf s.tar manifest.json | grep -o 'blobs/sha256/[0-9a-f]*' | tail -1)" | tar -t; veneer rmi dev > id`);
    expect(said).toBe('./\ndev/\nThe store is in order.\n./\n./dev/\n./dev/null\n./dev/sda\n');
  });

  test('is told of owners beyond his ids', async () => {
    writeFileSync(user.at('f'), '');
    chownSync(user.at('f'), 70_000, 5);
    runProgram('tar', ['-C', user.temp.path, '-cf', user.at('far.tar'), 'f']);
    const { status, stderr } = await user.try('veneer import ../far.tar far');
    expect(status).toBe(1);
    expect(stderr).toMatch(/tar entry 'f': chown '70000:5': invalid argument \(EINVAL\)\n {2}hint: .*\/etc\/subuid/);
  });

  test('finds his namespaces without XDG_RUNTIME_DIR, in a directory that is his', async () => {
    const own = `/tmp/veneer-${String(user.uid)}`;
    try {
      await user.on('unset XDG_RUNTIME_DIR; veneer images -q');
      expect(statSync(own)).toMatchObject({ uid: user.uid, mode: 0o40700 });
      expect(existsSync(`${own}/veneer/namespace.json`)).toBe(true);
    } finally {
      runProgram('rm', ['-rf', own]);
    }
  });
});

describe.skipIf(gate.skip)(gate.title('a user without subordinate ids'), () => {
  test('works with what is his own, and is told what he lacks', async () => {
    using user = new PlainUser({ subordinates: false });
    const { status, stdout, stderr } = await user.try(`veneer images -q; veneer unshare id`);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      `veneer: containers need ids of their own, and /etc/subuid gives none to ${user.name}\n  hint: as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${user.name} (take numbers that nobody has)\n`,
    );
    expect(user.processes()).toEqual([]);
  });
});

const PRELUDE = 'veneer() { "$NODE" "$CLI" "$@"; };';
