import type { Command } from 'commander';
import { VeneerError } from '../../core/index.js';
import { familiarReference, isConfigType, parseImageConfig, parsePlatform, tagOrDigest } from '../../image/index.js';
import type { Platform } from '../../image/index.js';
import type { RegistryClient } from '../../registry/index.js';
import type { Store } from '../../store/index.js';
import { describeManifest } from '../describe-manifest.js';
import type { FoundManifest, ManifestSource } from '../describe-manifest.js';
import { addExamples } from '../examples.js';
import { interruptible } from '../interruption.js';
import { toJson, writeDocument, writeLine } from '../output.js';
import { ProgressBoard } from '../progress.js';
import { addRegistryOptions, withRegistry } from '../registry.js';
import type { RegistryOptions } from '../registry.js';
import { remoteReference } from '../remote-reference.js';
import { withStore } from '../store.js';

interface Options extends RegistryOptions {
  readonly verbose?: true;
  readonly platform?: string;
  readonly local?: true;
}

interface Found {
  readonly found: FoundManifest;
  readonly source: ManifestSource;
}

interface RemoteOptions {
  readonly platform: Platform | undefined;
  readonly signal: AbortSignal;
}

/** What the registry has, with all that it leads to. */
async function findRemote(client: RegistryClient, text: string, options: RemoteOptions): Promise<Found> {
  const { platform, signal } = options;
  const { readConfig, resolveRemote } = await import('../../transfer/index.js');
  const reference = remoteReference(text);
  const repository = client.repository(reference);
  const found =
    platform === undefined
      ? await repository.manifest(tagOrDigest(reference), { signal })
      : (await resolveRemote(repository, reference, { platform, signal })).manifest;
  const source: ManifestSource = {
    name: familiarReference(reference),
    read: ({ digest }) => repository.manifest(digest, { signal }),
    platform: async ({ config }) =>
      isConfigType(config.mediaType) ? parseImageConfig(await readConfig(repository, config, signal)) : undefined,
  };
  return { found, source };
}

/** The manifest that an image in the store came with. */
function findStored(store: Store, name: string): Found {
  const image = store.images.resolve(name);
  const [manifest] = store.images.manifests(image.id);
  if (manifest === undefined) {
    throw new VeneerError('not-found', `image '${name}' did not come with a manifest`, {
      hint: 'veneer save --format oci makes one, and so does veneer push',
    });
  }
  const { digest, mediaType } = manifest;
  const source: ManifestSource = {
    name,
    read: () => Promise.reject(new VeneerError('not-found', 'the store keeps no indexes')),
    platform: () => Promise.resolve(store.images.config(image.id)),
  };
  return { found: { bytes: store.images.manifestBytes(digest), mediaType }, source };
}

/** The bytes as they are, so that their digest is the manifest's; or docker's description. */
async function print({ found, source }: Found, verbose: boolean): Promise<void> {
  if (verbose) writeLine(toJson(await describeManifest(found, source), 4));
  else writeDocument(found.bytes);
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] NAME[:TAG|@DIGEST]')
    .argument('<name>', 'an image in a registry')
    .option('-v, --verbose', 'digest, size and platform of each manifest, and the manifests that an index lists')
    .option('--platform <platform>', 'the manifest for OS/ARCH[/VARIANT] rather than the index that lists it')
    .option('--local', 'the manifest that an image in the store came with; nothing is asked of a registry');
  addRegistryOptions(command).action(async (name: string, options: Options) => {
    const { verbose = false, platform, local, ...registry } = options;
    if (local === true && platform !== undefined) {
      throw new VeneerError('usage', 'manifest inspect: --platform chooses in a registry, and --local asks none');
    }
    if (local === true) {
      await withStore(command, (store) => print(findStored(store, name), verbose));
      return;
    }
    const wanted = platform === undefined ? undefined : parsePlatform(platform);
    using board = new ProgressBoard();
    await interruptible((signal) =>
      withRegistry(
        registry,
        async (client) => print(await findRemote(client, name, { platform: wanted, signal }), verbose),
        { board },
      ),
    );
  });
  addExamples(command, [
    ['veneer manifest inspect debian:12', 'the manifest or the index, byte for byte'],
    ['veneer manifest inspect debian:12 | sha256sum', 'its digest'],
    ['veneer manifest inspect -v debian:12', 'with the platforms, and the manifests of each'],
    ['veneer manifest inspect --platform linux/arm64 debian:12', 'of what would be pulled for another machine'],
  ]);
}
