// What a directory of the host has to be before it is mounted in a container.

import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { VeneerError, toByteString } from '../core/index.js';
import type { MountPoint } from '../runtime/index.js';
import { mountEntries } from '../sys/index.js';

/** Makes it, where `-v` has asked for it. Throws `not-found`, and `invalid` where mounts cannot be passed on as asked for. */
export function ensureSource({ Source, CreateSource, Propagation }: MountPoint): void {
  if (CreateSource === true) mkdirUnlessThere(Source);
  refuseMissing(Source);
  if (/^r?(?:shared|slave)$/.test(Propagation)) refuseApart(Source, Propagation);
}

export function refuseMissing(path: string): void {
  if (existsSync(path)) return;
  throw new VeneerError('not-found', `cannot mount '${path}' in the container: there is no such file or directory`);
}

function mkdirUnlessThere(path: string): void {
  if (!existsSync(path)) mkdirSync(path, { recursive: true, mode: 0o755 });
}

/** The kernel would mount it and pass nothing on. */
function refuseApart(path: string, propagation: string): void {
  const real = toByteString(realpathSync(path));
  const entry = mountEntries().reduce<ReturnType<typeof mountEntries>[number] | undefined>((best, one) => {
    const isAbove = one.mountpoint === '/' || real === one.mountpoint || real.startsWith(`${one.mountpoint}/`);
    return isAbove && one.mountpoint.length >= (best?.mountpoint.length ?? 0) ? one : best;
  }, undefined);
  if (entry === undefined || entry.isShared) return;
  const [wanted, isSlave] = propagation.endsWith('shared') ? ['shared', false] : ['shared or slave', entry.isSlave];
  if (isSlave) return;
  const message = `cannot mount '${path}' as ${propagation}: the mount it is on, ${entry.mountpoint}, is not ${wanted}`;
  throw new VeneerError('invalid', message, { hint: `mount --make-shared ${entry.mountpoint}` });
}
