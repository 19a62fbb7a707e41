/**
 * What a file imports, and in which version: of its own files (relative or `file:` URLs, not of node_modules, not Beamlet's) those that have changed since
 * they were imported, or import one that has, are imported anew; all others are shared by its versions, as packages are.
 *
 * Each is looked for in the text: a static import is a string literal that begins with `./`, `../`, `/` or `file:`, so what does is taken for one. A file too
 * many is only looked at. Nothing here is asked before a file is loaded for the second time, but for what it is like when it is loaded for the first.
 */
import { createHash } from 'node:crypto'
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fileOf, versionOf } from './code-file.js'
import { versionImports } from './code-hooks.js'

interface Known {
  /** Of its text */
  readonly hash: string
  /** `#2` of one that was loaded again by itself, `#0.1` of one that was imported anew; '' at first */
  readonly version: string
  /** What it was linked with */
  readonly links: ReadonlyMap<string, string>
}

interface Scanned {
  readonly hash: string
  /** Of its text */
  readonly bytes: number
  readonly imports: readonly string[]
}

/** By the URL of the file: the cache of modules is that of the whole OS process. */
const known = new Map<string, Known>()
/** How often each was imported anew, or was about to be: one that did not load has its number, too. */
const counts = new Map<string, number>()

/** Bytes of text that were read for what was imported by a URL: its own, and of files that were read anew with it */
const texts = new Map<string, number>()

/** What Node.js has read for this URL and for nothing before it, in bytes of text. It lets go of none of it. */
export const textOfImport = (url: string): number => texts.get(url) ?? (url.startsWith('data:') ? url.length : 0)

const own = new URL('..', import.meta.url).href
const literal = /(['"`])((?:\.{1,2}\/|\/|file:)[^'"`\n\\]*)\1/g

/** TypeScript's, by what is written in an import */
const written: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.js$/, ['.js', '.ts', '.tsx']],
  [/\.mjs$/, ['.mjs', '.mts']],
  [/$/, ['', '.ts', '.js']],
]

/**
 * Before a file is imported by this URL: what it imports that has changed will be imported anew, for this one.
 *
 * @param since when something else had imported it already, as Date.now(): what was written later is not what that has
 * @returns to be called when it has been imported
 */
export function importing(url: string, since?: number): () => void {
  if (!url.startsWith('file:')) return () => {}
  const root = fileOf(url)
  const scanned = scan(root)
  const isFirst = versionOf(url) === ''
  if (since !== undefined && !known.has(root)) {
    for (const [file, { hash, imports }] of scanned) {
      const links = new Map(imports.map(each => [each, known.get(each)?.version ?? '']))
      if (!known.has(file)) known.set(file, { hash: since < writtenAt(file) ? '' : hash, version: '', links })
    }
    if (isFirst) {
      texts.set(url, total(scanned.values()))
      return () => {}
    }
  }
  const versions = versionsOf(root, scanned, versionOf(url))
  const anew = [...versions].filter(([file, version]) => version !== '' && file !== root)
  if (!isFirst && anew.length > 0) versionImports(new Map(anew))
  return () => {
    const read = [...scanned].filter(([file]) => file === root || known.get(file)?.version !== (versions.get(file) ?? ''))
    if (!texts.has(url)) texts.set(url, total(read.map(([, each]) => each)))
    for (const [file, { hash, imports }] of scanned) {
      const links = new Map(imports.map(each => [each, versions.get(each) ?? '']))
      known.set(file, { hash, version: versions.get(file) ?? '', links })
    }
  }
}

function total(files: Iterable<Scanned>): number {
  let sum = 0
  for (const { bytes } of files) sum += bytes
  return sum
}

/** The files that belong to a module, itself too */
export const filesOf = (url: string): string[] => [...scan(fileOf(url)).keys()]

function versionsOf(root: string, scanned: ReadonlyMap<string, Scanned>, version: string): Map<string, string> {
  const isChanged = (file: string, changed: ReadonlySet<string>): boolean => {
    const before = known.get(file)
    if (!before) return false
    const { hash, imports } = scanned.get(file) as Scanned
    return (
      before.hash !== hash || imports.some(each => changed.has(each) || (known.get(each)?.version ?? '') !== (before.links.get(each) ?? ''))
    )
  }
  const changed = new Set<string>()
  for (let size = -1; size < changed.size;) {
    size = changed.size
    for (const file of scanned.keys()) if (file !== root && isChanged(file, changed)) changed.add(file)
  }
  const next = (file: string): string => {
    const count = (counts.get(file) ?? 0) + 1
    counts.set(file, count)
    return `#0.${count}`
  }
  return new Map(
    [...scanned.keys()].map(file => {
      if (file === root) return [file, version]
      return [file, changed.has(file) ? next(file) : (known.get(file)?.version ?? '')]
    }),
  )
}

function scan(root: string): Map<string, Scanned> {
  const found = new Map<string, Scanned>()
  const left = [root]
  for (let file = left.pop(); file !== undefined; file = left.pop()) {
    if (found.has(file)) continue
    const text = readText(file)
    if (text === null) continue
    const literals = [...text.matchAll(literal)].map(([, , specifier]) => specifier as string)
    const imports = [...new Set(literals.flatMap(specifier => candidates(specifier, file)))]
    found.set(file, { hash: createHash('sha1').update(text).digest('base64'), bytes: Buffer.byteLength(text), imports })
    left.push(...imports)
  }
  return found
}

/** A file that is gone, or cannot be read: whoever imports it is told. */
function readText(file: string): string | null {
  try {
    return readFileSync(new URL(file), 'utf8')
  } catch {
    return null
  }
}

/** In milliseconds. What is copied may bring an older time of its own, but not this one. */
const writtenAt = (file: string): number => statSync(new URL(file), { throwIfNoEntry: false })?.ctimeMs ?? 0

/** The files that may be meant. A CommonJS file is cached by its path, so it is shared. */
function candidates(specifier: string, from: string): string[] {
  if (!URL.canParse(specifier, from)) return []
  const { href, protocol } = new URL(specifier, from)
  if (protocol !== 'file:' || href.includes('#')) return []
  const [pattern, endings] = written.find(([each]) => each.test(href)) as (typeof written)[number]
  return endings.flatMap(ending => fileAt(href.replace(pattern, ending))).filter(isFollowed)
}

const isFollowed = (file: string): boolean =>
  /\.[mc]?[jt]sx?$/.test(file) && !/\.c[jt]s$/.test(file) && !file.includes('/node_modules/') && !file.startsWith(own)

/** As Node.js names it, without links */
function fileAt(url: string): string[] {
  try {
    const path = fileURLToPath(url)
    return statSync(path).isFile() ? [pathToFileURL(realpathSync(path)).href] : []
  } catch {
    return [] // there is none, so it is not meant
  }
}
