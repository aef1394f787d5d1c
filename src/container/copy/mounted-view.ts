// A container that does not run, with its volumes, the host's directories and its files of /etc where it would have them: mounted in a mount
// namespace that nobody else sees, and that ends with us.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { VeneerError, messageOf, toByteString } from '../../core/index.js';
import { sharedContainer } from '../../runtime/index.js';
import type { MountPoint } from '../../runtime/index.js';
import type { ContainerRecord, Store } from '../../store/index.js';
import { AT_FDCWD, O_DIRECTORY, O_PATH, O_RDONLY, close, must, openat } from '../../sys/index.js';
import type { ContainerDocument } from '../container-config.js';
import { etcFilesIn } from '../etc-files.js';
import { ensureMountPoint, findMountPoint } from '../mount-points.js';
import { prepareMounts } from '../prepare-mounts.js';
import { documentOf } from '../document.js';

export interface MountedView {
  /** Its root, opened by O_PATH. */
  readonly root: number;
  /** Before the tree is un-mounted. */
  close(): void;
}

interface Placed {
  readonly source: string;
  /** In the host's tree. */
  readonly target: string;
  readonly access: 'ro' | 'rw';
  readonly isRecursive: boolean;
}

/**
 * Shows the tree at `rootfs` with what is mounted in it, but for memory (tmpfs), which a container has only while it runs. Resolves to undefined where
 * there is nothing to mount. The caller holds the container's lock. Throws `unavailable`.
 */
export async function openMountedView(
  store: Store,
  record: ContainerRecord,
  rootfs: string,
): Promise<MountedView | undefined> {
  const document = documentOf(store, record);
  const { ReadonlyRootfs } = document.host;
  const wanted = document.mounts.filter(
    ({ Type, Source }) => Type === 'volume' || (Type === 'bind' && existsSync(Source)),
  );
  const isFirstRun = store.runs.get(record.id)?.startedAt === undefined;
  await prepareMounts(store, wanted, { rootfs, isFirstRun });
  const placed = [...place(wanted, rootfs), ...(isFirstRun ? [] : placeEtcFiles(store, record, document, rootfs))];
  if (placed.length === 0 && !ReadonlyRootfs) return undefined;
  return await mountAside(placed, { rootfs, access: ReadonlyRootfs ? 'ro' : 'rw' });
}

const depthOf = (path: string): number => path.split('/').length;

/** What is mounted below another mount has its place in that one's source. */
function place(mounts: readonly MountPoint[], rootfs: string): Placed[] {
  const done: (Placed & { readonly path: string })[] = [];
  for (const mount of mounts.toSorted((one, other) => depthOf(one.Destination) - depthOf(other.Destination))) {
    const above = done.findLast(({ path }) => mount.Destination.startsWith(`${path}/`));
    const path = above === undefined ? mount.Destination : mount.Destination.slice(above.path.length);
    const isDirectory = statSync(mount.Source).isDirectory();
    const found = ensureMountPoint({ root: above?.source ?? rootfs, path, isDirectory });
    if (found === undefined) continue;
    done.push({
      source: mount.Source,
      target: posix.join(above?.target ?? rootfs, found),
      access: mount.RW ? 'rw' : 'ro',
      isRecursive: mount.NonRecursive !== true,
      path: mount.Destination,
    });
  }
  return done;
}

function placeEtcFiles(
  store: Store,
  record: ContainerRecord,
  { host, mounts }: ContainerDocument,
  rootfs: string,
): Placed[] {
  const other = sharedContainer(host.NetworkMode);
  const owner = other === undefined ? record : store.containers.find(other);
  if (owner === undefined) return [];
  const { hosts, hostname, resolvConf } = etcFilesIn(store.containers.directory(owner.id));
  const files = { '/etc/hosts': hosts, '/etc/hostname': hostname, '/etc/resolv.conf': resolvConf };
  return Object.entries(files).flatMap(([path, source]): Placed[] => {
    if (mounts.some(({ Destination }) => Destination === path) || !existsSync(source)) return [];
    const found = findMountPoint({ root: rootfs, path, isDirectory: false });
    return found === undefined ? [] : [{ source, target: posix.join(rootfs, found), access: 'rw', isRecursive: false }];
  });
}

/** Arguments: ACCESS SOURCE TARGET --bind|--rbind of each mount, then ACCESS of the root, and the root. */
const SCRIPT = `set -e
read_only() { mount -o remount,bind,ro "$1"; }
while [ "$#" -gt 2 ]; do
  mount "$4" "$2" "$3"
  [ "$1" = rw ] || read_only "$3"
  shift 4
done
[ "$1" = rw ] || read_only "$2"
echo
exec cat`;

async function mountAside(
  placed: readonly Placed[],
  { rootfs, access }: { rootfs: string; access: 'ro' | 'rw' },
): Promise<MountedView> {
  const words = placed.flatMap((one) => [one.access, one.source, one.target, one.isRecursive ? '--rbind' : '--bind']);
  const shell = ['/bin/sh', '-c', SCRIPT, 'sh', ...words, access, rootfs];
  const child = spawn('unshare', ['-m', '--propagation', 'slave', ...shell], { stdio: 'pipe' });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stdin.on('error', () => undefined);
  try {
    await Promise.race([
      once(child.stdout, 'data'),
      once(child, 'exit').then(() => Promise.reject(new Error(said.trim().split('\n')[0]))),
    ]);
    // The namespace lives on in a file descriptor, without the process that has made it.
    const namespace = openBelow(child.pid, 'ns/mnt', O_RDONLY);
    const root = openBelow(child.pid, `root${rootfs}`, O_PATH | O_DIRECTORY);
    return {
      root,
      close: () => {
        close(root);
        close(namespace);
      },
    };
  } catch (cause) {
    throw new VeneerError('unavailable', `cannot mount the container's volumes: ${messageOf(cause)}`, { cause });
  } finally {
    child.stdin.end();
  }
}

function openBelow(pid: number | undefined, name: string, flags: number): number {
  const path = `/proc/${String(pid)}/${name}`;
  return must(openat(AT_FDCWD, toByteString(path), flags), 'open', path);
}
