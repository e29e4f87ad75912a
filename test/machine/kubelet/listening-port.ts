import { readdir, readFile, readlink } from 'node:fs/promises';

/** The TCP ports on which a process of this computer listens (IPv4 and IPv6), from /proc. */
export async function listeningPorts(pid: number): Promise<number[]> {
  const own = await socketInodes(pid);
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => read(`/proc/${pid}/net/${name}`)));
  const rows = tables.flatMap((table) => table.split('\n').slice(1));
  return rows
    .map((row) => row.trim().split(/\s+/u))
    .filter(([, , , state, , , , , , inode]) => state === '0A' && own.has(inode ?? ''))
    .map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16));
}

async function socketInodes(pid: number): Promise<Set<string>> {
  const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/u.exec(link)?.[1] ?? []));
}

async function read(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
