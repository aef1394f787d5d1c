// Compares what the rows say with what is on disk, both ways.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { shortDigest } from '../core/index.js';
import { checkBlobs, checkImages } from './check-images.js';
import type { Finding } from './finding.js';
import type { StoreParts } from './parts.js';

/** Everything that is wrong or left over. Holds the store's lock meanwhile, so that nothing is seen half done. */
export function checkStore(parts: StoreParts): Finding[] {
  return parts.lock.exclusively(() => [
    ...checkDatabase(parts),
    ...checkLayers(parts),
    ...checkImages(parts),
    ...checkBlobs(parts),
    ...checkContainers(parts),
    ...checkFrozen(parts),
    ...checkVolumes(parts),
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
  const unrecorded = layers.list().filter(({ chainId, tarSize }) => {
    // A layer of an old store has neither.
    return tarSize !== undefined && existsSync(layers.path(chainId)) && !isReadable(paths.record(chainId).skeleton);
  });
  return [
    ...missing.map((id): Finding => ({
      kind: 'layer-missing',
      object: id,
      message: `layer ${shortDigest(id)} has no directory: images that use it cannot be mounted`,
    })),
    ...unrecorded.map(({ chainId }): Finding => ({
      kind: 'skeleton-missing',
      object: chainId,
      message: `layer ${shortDigest(chainId)} has no readable skeleton: its tar cannot be made again byte for byte`,
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

function isReadable(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function checkContainers({ containers, paths }: StoreParts): Finding[] {
  const recorded = containers.list();
  const known = new Set(recorded.map((container) => container.id));
  const abandoned = new Set(containers.abandoned());
  const extra = readdirSync(paths.containers).filter((name) => !known.has(name));
  return [
    ...recorded.flatMap((container): Finding[] => {
      const { id, name } = container;
      if (abandoned.has(id)) {
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

function checkFrozen({ frozen, paths }: StoreParts): Finding[] {
  const recorded = frozen.list();
  const unneeded = new Set(frozen.unneeded());
  const known = new Set([...recorded, ...[...frozen.unfinished().values()].map(({ id }) => id)]);
  const extra = readdirSync(paths.frozen).filter((name) => !known.has(name) || unneeded.has(name));
  return [
    ...recorded
      .filter((id) => !existsSync(frozen.path(id)))
      .map((id): Finding => ({
        kind: 'frozen-missing',
        object: id,
        message: `frozen directory ${id} is lost: what lies on it cannot be mounted`,
      })),
    ...extra.map((name): Finding => ({
      kind: 'frozen-extra',
      object: name,
      message: `directory 'frozen/${name}' belongs to no container and no snapshot`,
    })),
  ];
}

function checkVolumes({ volumes, paths }: StoreParts): Finding[] {
  const names = volumes.list().map(({ name }) => name);
  const known = new Set(names);
  return [
    ...names
      .filter((name) => !existsSync(volumes.path(name)))
      .map((name): Finding => ({
        kind: 'volume-missing',
        object: name,
        message: `volume ${name} has no directory: what was in it is lost`,
      })),
    ...readdirSync(paths.volumes)
      .filter((name) => !known.has(name))
      .map((name): Finding => ({
        kind: 'volume-extra',
        object: name,
        message: `directory 'volumes/${name}' belongs to no volume`,
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
