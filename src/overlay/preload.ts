// What a server loads when it has mounted, for one that waits until it is told what to mount.

/** Loads it. What it costs is then not paid while the first requests wait. */
export async function preload(): Promise<void> {
  // A socket that listens asks the cluster whose it is.
  await Promise.all([import('../core/log.js'), import('node:net'), import('node:cluster'), import('node:crypto')]);
}
