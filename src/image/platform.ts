// Platforms as the OCI image index names them: GOOS and GOARCH words.

import { arch } from 'node:process';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Of the CPU: `v7`, `v8`. */
  readonly variant?: string;
}

/** Node's names of architectures to Go's, where they differ. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
  mipsel: 'mipsle',
};

/** The platform this process runs on. Node for 32-bit ARM needs an ARMv7 CPU. */
export function hostPlatform(): Platform {
  const architecture = ARCHITECTURES[arch] ?? arch;
  return architecture === 'arm' ? { os: 'linux', architecture, variant: 'v7' } : { os: 'linux', architecture };
}

/** `linux/amd64`, `linux/arm/v7`. */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`;
}
