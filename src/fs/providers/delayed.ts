/** Makes any provider answer later, on purpose: everything that can block then does, which is how the suite proves that
 *  blocking changes nothing but time. */
import type {
  Answer, FileChanges, FileProvider, ProviderAccess, ProviderChange, ProviderEntry, ProviderFile, ProviderStat,
} from "../provider.ts";

/** Resolves when the answer may be given; a turn of the microtask queue by default. */
export type Delay = () => Promise<void>;

export class DelayedProvider implements FileProvider {
  readonly name: string;
  readonly volatile: boolean;
  readonly changes?: FileChanges;
  private readonly inner: FileProvider;
  private readonly delay: Delay;

  constructor(inner: FileProvider, delay: Delay = () => Promise.resolve()) {
    this.inner = inner;
    this.delay = delay;
    this.name = inner.name;
    this.volatile = inner.volatile;
    if (inner.changes !== undefined) this.changes = delayedChanges(inner.changes, delay);
  }
  stat(path: string): Promise<ProviderStat | number> {
    return later(this.delay, () => this.inner.stat(path));
  }
  list(path: string): Promise<readonly ProviderEntry[] | number> {
    return later(this.delay, () => this.inner.list(path));
  }
  readLink(path: string): Promise<string | number> {
    return later(this.delay, () => this.inner.readLink(path));
  }
  async open(path: string, access: ProviderAccess): Promise<ProviderFile | number> {
    const file = await later(this.delay, () => this.inner.open(path, access));
    return typeof file === "number" ? file : delayedFile(file, this.delay);
  }
  close(): void {
    this.inner.close();
  }
}

async function later<T>(delay: Delay, question: () => Answer<T>): Promise<T | number> {
  await delay();
  return question();
}

function delayedFile(file: ProviderFile, delay: Delay): ProviderFile {
  return {
    read: (position, target) => later(delay, () => file.read(position, target)),
    write: (position, source) => later(delay, () => file.write(position, source)),
    truncate: (size) => later(delay, () => file.truncate(size)),
    sync: () => later(delay, () => file.sync()),
    close: () => file.close(),
  };
}

function delayedChanges(changes: FileChanges, delay: Delay): FileChanges {
  return {
    create: async (path: string, mode: number) => {
      const file = await later(delay, () => changes.create(path, mode));
      return typeof file === "number" ? file : delayedFile(file, delay);
    },
    makeDirectory: (path: string, mode: number) => later(delay, () => changes.makeDirectory(path, mode)),
    makeLink: (path: string, target: string) => later(delay, () => changes.makeLink(path, target)),
    linkFile: (existing: string, path: string) => later(delay, () => changes.linkFile(existing, path)),
    removeFile: (path: string) => later(delay, () => changes.removeFile(path)),
    removeDirectory: (path: string) => later(delay, () => changes.removeDirectory(path)),
    rename: (from: string, to: string) => later(delay, () => changes.rename(from, to)),
    change: (path: string, change: ProviderChange) => later(delay, () => changes.change(path, change)),
  };
}
