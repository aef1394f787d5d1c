// skopeo puts images into a test registry, and takes them out: the peer on the other side.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runWell } from '../other-process.js';
import { tempDir } from '../tmp.js';
import { generateImage } from './generated-image.js';
import type { GeneratedBlob, GeneratedImage, GeneratedImageOptions, ImageContent } from './generated-image.js';
import type { TestRegistry } from './registry.js';

type Target = Pick<TestRegistry, 'host' | 'user' | 'password'>;

/** Runs skopeo with nothing of this machine's configuration; nobody's certificate is verified. */
export async function skopeo(home: string, ...args: string[]): Promise<string> {
  const policy = path.join(home, 'policy.json');
  mkdirSync(home, { recursive: true });
  writeFileSync(policy, '{"default":[{"type":"insecureAcceptAnything"}]}');
  writeFileSync(path.join(home, 'registries.conf'), '');
  const env = {
    ...process.env,
    HOME: home,
    XDG_RUNTIME_DIR: home,
    TMPDIR: home,
    CONTAINERS_REGISTRIES_CONF: path.join(home, 'registries.conf'),
  };
  return runWell('skopeo', ['--policy', policy, ...args], { env, cwd: home });
}

export const credentials = ({ user, password }: Target): string => `${user}:${password}`;

/** skopeo's `dir:`, which unlike its `oci:` takes manifests of any kind. */
function writeDir(directory: string, { images, blobs = [] }: ImageContent, top: GeneratedBlob): void {
  mkdirSync(directory);
  const write = (name: string, content: string | Uint8Array): void =>
    writeFileSync(path.join(directory, name), content);
  const hexOf = (digest: string): string => digest.slice('sha256:'.length);
  write('version', 'Directory Transport Version: 1.1\n');
  write('manifest.json', top.bytes);
  for (const { digest, bytes } of [...blobs, ...images.map(({ manifest }) => manifest)])
    write(`${hexOf(digest)}.manifest.json`, bytes);
  for (const { digest, bytes } of images.flatMap(({ config, layers }) => [config, ...layers]))
    write(hexOf(digest), bytes);
}

/** Puts manifests and indexes there, with all that they name; the tags are those of `content`. */
export async function fillWith(registry: Target, repository: string, content: ImageContent): Promise<void> {
  using temp = tempDir('fill');
  const options = ['copy', '-q', '--all', '--preserve-digests', '--dest-tls-verify=false'];
  for (const [tag, top] of Object.entries(content.tags)) {
    const directory = path.join(temp.path, tag);
    writeDir(directory, content, top);
    const target = `docker://${registry.host}/${repository}:${tag}`;
    await skopeo(temp.path, ...options, '--dest-creds', credentials(registry), `dir:${directory}`, target);
  }
}

/** Puts a generated image there; `name` is `REPOSITORY:TAG`. */
export async function fill(
  registry: Target,
  name: string,
  options: GeneratedImageOptions = {},
): Promise<GeneratedImage> {
  const image = generateImage(options);
  const [repository = '', tag = 'latest'] = name.split(':');
  await fillWith(registry, repository, { images: [image], tags: { [tag]: image.manifest } });
  return image;
}

/** The bytes of a manifest that a registry has. */
export async function rawManifest(registry: Target, name: string): Promise<string> {
  using temp = tempDir('raw');
  const args = ['inspect', '--raw', '--tls-verify=false', '--creds', credentials(registry)];
  return await skopeo(temp.path, ...args, `docker://${registry.host}/${name}`);
}

/** The file that the registry keeps a blob in. */
export function storedBlob(registry: Pick<TestRegistry, 'storage'>, digest: string): Buffer {
  const hex = digest.slice('sha256:'.length);
  return readFileSync(path.join(registry.storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data'));
}
