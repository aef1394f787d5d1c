// link: one more name for a file, in the upper.

import { errno } from '../core/index.js';
import type { Entry, Outcome } from '../fuse/index.js';
import { close, linkFd, linkat, renameat2, unlinkat } from '../sys/index.js';
import type { Place as SysPlace } from '../sys/index.js';
import { isWhiteout } from '../whiteout/index.js';
import { fillAttr, statNode } from './attr.js';
import { markImpure } from './copy-up-directory.js';
import { copyUp } from './copy-up.js';
import { prepare } from './create.js';
import { countByUpper, countNames } from './hard-links.js';
import { addToListing } from './listing.js';
import type { FileNode, Name } from './node.js';
import { after } from './outcome.js';
import type { Overlay } from './overlay.js';
import { checkChange, checkCreate } from './protection.js';

export function link(o: Overlay, node: FileNode, to: Name, entry: Entry): Outcome {
  const refused = Math.min(checkChange(node), checkCreate(to.parent));
  if (refused < 0) return refused;
  return after(copyUp(o, node), () => {
    const dirfd = prepare(o, to.parent, to.name);
    if (dirfd < 0) return dirfd;
    let status = countByUpper(o, node);
    if (status >= 0) status = linkTo(node, { dirfd, name: to.name });
    if (status === -errno.EEXIST) status = linkOverWhiteout(o, node, { dirfd, name: to.name });
    if (status < 0) return status;
    nameNode(o, node, to);
    status = statNode(o, node, o.stat);
    if (status < 0) return status;
    // Either name leads to it, also when the kernel gives back the directory of one and looks it up again.
    if (node.linkKey === undefined) o.nodes.shareLinks(node, o.inos.key(o.stat));
    entry.nodeid = node.id;
    node.nlookup += 1;
    fillAttr(node, o.stat, entry.attr);
    return 0;
  });
}

function linkTo(node: FileNode, to: SysPlace): number {
  if (node.pinned >= 0) return linkFd(node.pinned, to);
  if (node.upper === undefined) return -errno.ESTALE;
  const dirfd = node.upper.dir.fd();
  return dirfd < 0 ? dirfd : linkat({ dirfd, name: node.upper.name }, to);
}

function linkOverWhiteout(o: Overlay, node: FileNode, to: SysPlace): number {
  const work = o.work!;
  if (!isWhiteout(to.dirfd, to.name, o.stat)) return -errno.EEXIST;
  const staged = { dirfd: work.fd, name: work.newName() };
  const linked = linkTo(node, staged);
  if (linked < 0) return linked;
  const shown = renameat2(staged, to);
  if (shown < 0) unlinkat(staged.dirfd, staged.name);
  return shown;
}

function nameNode(o: Overlay, node: FileNode, to: Name): void {
  o.nodes.attach(node, to.parent, to.name);
  addToListing(to.parent, to.name);
  node.upper ??= { dir: to.parent.writable, name: to.name };
  if (node.pinned >= 0) {
    close(node.pinned);
    node.pinned = -1;
  }
  countNames(o, node, 1);
  if (node.lower !== undefined) markImpure(o, to.parent);
}
