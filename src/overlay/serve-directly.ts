// A mount through /dev/fuse, answered by the main thread of this process.

import { SysError, VeneerError, messageOf, toByteString } from '../core/index.js';
import type { ByteString } from '../core/index.js';
import { Session, Statistics, endMount, mountFuse } from '../fuse/index.js';
import { close } from '../sys/index.js';
import { freezeUpper } from './freeze.js';
import { MemoryReturn } from './memory.js';
import type { OverlayOptions } from './options.js';
import type { Overlay } from './overlay.js';
import { cachesPages, mountFlags, openOverlay } from './serve.js';
import type { ServerEvents } from './server.js';
import { showOverlay } from './shown-fs.js';
import { StatisticsDoor } from './statistics-door.js';

/** How long the kernel may trust what we told it, in seconds: for ever, since every change comes through the mount. */
const FOR_EVER = 1e9;

function showGauges(statistics: Statistics, { nodes, names }: Overlay): void {
  statistics.setGauge('nodes', nodes.size);
  statistics.setGauge('namesKnown', names.known);
  statistics.setGauge('namesFound', names.found);
}

async function freezeMounted(overlay: Overlay, options: OverlayOptions, frozen: ByteString): Promise<void> {
  const { upperdir, mountpoint } = options;
  if (upperdir === undefined || overlay.work === undefined) {
    throw new VeneerError('invalid', `'${mountpoint}' is mounted read-only: there is nothing to freeze`);
  }
  const status = await freezeUpper(overlay, { upper: toByteString(upperdir), frozen });
  if (status >= 0) return;
  const cause = new SysError(-status, 'freeze', upperdir);
  throw new VeneerError('unavailable', `cannot freeze '${mountpoint}': ${cause.message}`);
}

/** Opens the layers, mounts, and serves until un-mounted. Throws VeneerError. */
export async function serveDirectly(options: OverlayOptions, events: ServerEvents): Promise<void> {
  // Layers first: a mount point above one of them must not stand in the way.
  const overlay = openOverlay(options);
  const device = await mountFuse({
    mountpoint: options.mountpoint,
    source: options.source ?? 'veneer',
    subtype: 'veneer',
    flags: mountFlags(options),
    allowOther: true,
  });
  const statistics = new Statistics();
  const door = new StatisticsDoor({
    statistics,
    mountpoint: options.mountpoint,
    obey: ({ freeze }) => session.hold(() => freezeMounted(overlay, options, freeze)),
  });
  const memory = new MemoryReturn(() => overlay.nodes.size);
  const timeout = options.timeout ?? FOR_EVER;
  const session = new Session({
    device,
    filesystem: showOverlay(overlay, options),
    validity: { sec: Math.floor(timeout), nsec: Math.round((timeout % 1) * 1e9) },
    passthrough: options.passthrough !== 'off',
    acl: options.noacl !== true,
    noOpen: overlay.work === undefined && cachesPages(options),
    lowLatency: options.lowLatency !== false,
    statistics,
    onReady: () => {
      events.ready();
      door.open().catch((error: unknown) => {
        events.log('no statistics', messageOf(error));
      });
    },
    onIdle: () => {
      showGauges(statistics, overlay);
      memory.idle();
      return overlay.work?.tidy() === true;
    },
    logError: events.log,
  });
  try {
    await session.run();
  } catch (error) {
    // Whoever waits for an answer is told that there will be none, the un-mount too.
    close(device);
    await endMount(options.mountpoint);
    throw error;
  } finally {
    door.close();
  }
}
