// Compares what the rows say with what is on disk, both ways.

import { existsSync, readdirSync } from 'node:fs';
import { VeneerError, digestHex, messageOf, shortDigest } from '../core/index.js';
import type { Digest } from '../core/index.js';
import { chainIds } from '../image/index.js';
import type { Finding } from './finding.js';
import type { StoreParts } from './parts.js';

/** Everything that is wrong or left over. Holds the store's lock meanwhile, so that nothing is seen half done. */
export function checkStore(parts: StoreParts): Finding[] {
  return parts.lock.exclusively(() => [
    ...checkDatabase(parts),
    ...checkLayers(parts),
    ...checkImages(parts),
    ...checkContainers(parts),
    ...checkStaging(parts),
  ]);
}

function checkDatabase({ database }: StoreParts): Finding[] {
  const rows = database.sql.pragma('integrity_check') as { integrity_check: string }[];
  const broken = rows.map((row) => row.integrity_check).filter((text) => text !== 'ok');
  const dangling = database.sql.pragma('foreign_key_check') as { table: string; parent: string }[];
  return [
    ...broken.map((text): Finding => ({ kind: 'database', object: 'veneer.db', message: text })),
    ...dangling.map(({ table, parent }): Finding => ({
      kind: 'database',
      object: 'veneer.db',
      message: `a row of '${table}' refers to a missing row of '${parent}'`,
    })),
  ];
}

function checkLayers({ layers, paths }: StoreParts): Finding[] {
  const recorded = layers.list().map((layer) => layer.chainId);
  const known = new Set<string>(recorded.map((id) => paths.layer(id)));
  const missing = recorded.filter((id) => !existsSync(layers.path(id)));
  const extra = readdirSync(paths.layers).filter((name) => !known.has(`${paths.layers}/${name}`));
  return [
    ...missing.map((id): Finding => ({
      kind: 'layer-missing',
      object: id,
      message: `layer ${shortDigest(id)} has no directory: images that use it cannot be mounted`,
    })),
    ...extra.map((name): Finding => ({
      kind: 'layer-extra',
      object: name,
      message: `directory 'layers/${name}' belongs to no layer`,
    })),
    ...layers.unneeded().map((id): Finding => ({
      kind: 'layer-unused',
      object: id,
      message: `no image or container uses layer ${shortDigest(id)}`,
    })),
  ];
}

function checkImages(parts: StoreParts): Finding[] {
  const { images, content, paths } = parts;
  const extra = images.unneededBlobs(readdirSync(paths.blobs).map((name) => `sha256:${name}` as Digest)).map(digestHex);
  const findings = images.list().flatMap((image): Finding[] => {
    const name = shortDigest(image.id);
    if (!content.has(image.id)) {
      return [{ kind: 'blob-missing', object: image.id, message: `the configuration of image ${name} is missing` }];
    }
    try {
      const expected = chainIds(images.config(image.id).rootfs.diff_ids);
      if (expected.join() === image.layers.join()) return [];
      return [
        { kind: 'image-inconsistent', object: image.id, message: `image ${name} has other layers than recorded` },
      ];
    } catch (error) {
      if (!(error instanceof VeneerError)) throw error;
      return [
        { kind: 'blob-damaged', object: image.id, message: `the configuration of image ${name}: ${messageOf(error)}` },
      ];
    }
  });
  return [
    ...findings,
    ...extra.map((name): Finding => ({
      kind: 'blob-extra',
      object: name,
      message: `nothing refers to 'blobs/sha256/${name}'`,
    })),
  ];
}

function checkContainers({ containers, paths }: StoreParts): Finding[] {
  const recorded = containers.list();
  const known = new Set(recorded.map((container) => container.id));
  const unfinished = new Set(containers.unfinished());
  const extra = readdirSync(paths.containers).filter((name) => !known.has(name));
  return [
    ...recorded.flatMap((container): Finding[] => {
      const { id, name } = container;
      if (unfinished.has(id)) {
        return [{ kind: 'container-unfinished', object: id, message: `a commit of container ${name} was interrupted` }];
      }
      if (existsSync(paths.container(id))) return [];
      return [
        { kind: 'container-missing', object: id, message: `container ${name} has no directory: its changes are lost` },
      ];
    }),
    ...extra.map((name): Finding => ({
      kind: 'container-extra',
      object: name,
      message: `directory 'containers/${name}' belongs to no container`,
    })),
  ];
}

function checkStaging({ staging, leases }: StoreParts): Finding[] {
  return [
    ...staging.leftovers().map((name): Finding => ({
      kind: 'staging-leftover',
      object: name,
      message: name.startsWith('partial.')
        ? `'staging/${name}' is the beginning of a blob, to be continued`
        : `'staging/${name}' was left by a process that died`,
    })),
    ...leases.stale().map((name): Finding => ({
      kind: 'lease-stale',
      object: name,
      message: `lease ${name} was left by a process that died`,
    })),
  ];
}
