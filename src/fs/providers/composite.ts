/** Shows chosen directories and files of other providers at chosen paths, and nothing else: the view a guest has of the
 *  host. The directories on the way exist with nothing but that way in them. Read-only. */
import { EACCES, EINVAL, EISDIR, ENOENT } from "../../abi/linux/errno.ts";
import { S_IFDIR, S_IFMT } from "../../abi/linux/stat.ts";
import { isPromise } from "../hostdir/answers.ts";
import { type Answer, type FileProvider, MADE_UP_DEVICE, type ProviderAccess, type ProviderEntry, type ProviderFile, type ProviderStat } from "../provider.ts";

interface Graft {
  readonly provider: FileProvider;
  readonly path: string;
}

interface Node {
  readonly inode: number;
  readonly children: Map<string, Node>;
  graft: Graft | null;
}

export class CompositeProvider implements FileProvider {
  readonly name: string;
  private readonly timeSeconds: number;
  private readonly root: Node;
  private readonly providers = new Set<FileProvider>();
  private lastInode = 1;

  /** @param timeSeconds times of the directories made up on the way */
  constructor(name: string, timeSeconds: number) {
    this.name = name;
    this.timeSeconds = timeSeconds;
    this.root = this.makeNode();
  }

  get volatile(): boolean {
    return [...this.providers].some((provider) => provider.volatile);
  }

  /** Shows `path` of `provider` at `at` (names joined by "/", "" for the root). A deeper graft covers a shallower one there. */
  graft(at: string, provider: FileProvider, path: string): void {
    let node = this.root;
    for (const name of namesOf(at)) {
      let next = node.children.get(name);
      if (next === undefined) {
        next = this.makeNode();
        node.children.set(name, next);
      }
      node = next;
    }
    node.graft = { provider, path };
    this.providers.add(provider);
  }

  stat(path: string): Answer<ProviderStat> {
    const place = this.locate(path);
    if (place === null) return -ENOENT;
    return place.graft === null ? this.madeUpStat(place.node!) : place.graft.provider.stat(place.graft.path);
  }

  list(path: string): Answer<readonly ProviderEntry[]> {
    const place = this.locate(path);
    if (place === null) return -ENOENT;
    const own = place.node === null ? [] : [...place.node.children.keys()].map((name) => ({ name, type: 0, inode: 0 }));
    if (place.graft === null) return own;
    const answer = place.graft.provider.list(place.graft.path);
    const merge = (below: readonly ProviderEntry[] | number): readonly ProviderEntry[] | number => {
      if (typeof below === "number") return own.length === 0 ? below : own;
      const covered = new Set(own.map((entry) => entry.name));
      return [...own, ...below.filter((entry) => !covered.has(entry.name))];
    };
    return isPromise(answer) ? answer.then(merge) : merge(answer);
  }

  readLink(path: string): Answer<string> {
    const place = this.locate(path);
    if (place === null) return -ENOENT;
    return place.graft === null ? -EINVAL : place.graft.provider.readLink(place.graft.path);
  }

  open(path: string, access: ProviderAccess): Answer<ProviderFile> {
    if (access !== "read") return -EACCES;
    const place = this.locate(path);
    if (place === null) return -ENOENT;
    return place.graft === null ? -EISDIR : place.graft.provider.open(place.graft.path, access);
  }

  close(): void {
    for (const provider of this.providers) provider.close();
  }

  /** The deepest graft that covers `path`, or the made-up directory there. */
  private locate(path: string): { node: Node | null; graft: Graft | null } | null {
    let node: Node | null = this.root;
    let graft = this.root.graft;
    for (const name of namesOf(path)) {
      node = node?.children.get(name) ?? null;
      if (node !== null && node.graft !== null) graft = node.graft;
      else if (graft !== null) graft = { provider: graft.provider, path: graft.path === "" ? name : `${graft.path}/${name}` };
      else if (node === null) return null;
    }
    // A made-up directory inside a graft exists even where the graft has nothing of that name.
    if (node !== null && node.graft === null && graft !== null && node.children.size > 0) return { node, graft: this.realDirectory(graft) };
    return { node, graft };
  }

  /** `graft` when it is a directory of its provider (asked at once), null when it must be made up. */
  private realDirectory(graft: Graft): Graft | null {
    const stat = graft.provider.stat(graft.path);
    if (isPromise(stat)) return graft;
    return typeof stat !== "number" && (stat.mode & S_IFMT) === S_IFDIR ? graft : null;
  }

  private makeNode(): Node {
    return { inode: this.lastInode++, children: new Map(), graft: null };
  }

  private madeUpStat(node: Node): ProviderStat {
    const seconds = this.timeSeconds;
    return {
      mode: S_IFDIR | 0o755, size: 4096, device: MADE_UP_DEVICE, inode: node.inode, links: 2 + node.children.size, uid: 0, gid: 0, rdev: 0,
      blocks: 8, atimeSeconds: seconds, atimeNanos: 0, mtimeSeconds: seconds, mtimeNanos: 0, ctimeSeconds: seconds, ctimeNanos: 0,
      btimeSeconds: seconds, btimeNanos: 0,
    };
  }
}

function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}
