// The layers of the house: imports point down only, and only some rooms touch the machine.
//
//   node scripts/layers.js        prints each import that breaks the rule, and exits 1 if there is one
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { argv, exit } from 'node:process'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** Lowest first. A room may import itself and every room of a lower storey; rooms of one storey do not know each other. */
export const storeys = [['term'], ['etf'], ['dist'], ['process'], ['net'], ['node'], ['otp'], ['store'], ['observer'], ['interop', 'cli']]

/** The command stands in front of the house: it comes in by the door that everybody uses, src/index. */
const visitors = new Set(['cli'])

/** No I/O at all: what they may import of Node.js. Everything else, MD5 too, is passed in. */
const pure = new Set(['term', 'etf', 'dist'])
const pureModules = new Set(['assert', 'buffer', 'util', 'zlib'])

/** Sockets, child processes and DNS. */
const outside = new Set(['net', 'node', 'cli', 'interop'])
const outsideModules = new Set(['child_process', 'cluster', 'dgram', 'dns', 'http', 'http2', 'https', 'net', 'tls', 'worker_threads'])

/** @param {string} room */
const storeyOf = room => storeys.findIndex(rooms => rooms.includes(room))

/**
 * Why one room may not import that, or undefined when it may.
 *
 * @param {string} room the folder of src/ that imports, '' for src/ itself
 * @param {string} target another room's name, `node:…`, or a package's name
 * @returns {string | undefined}
 */
export function refusal(room, target) {
  const module = /^node:([^/]+)/.exec(target)?.[1]
  if (module !== undefined) {
    if (pure.has(room) && !pureModules.has(module)) return `${room}/ does no I/O: ${target} is passed in, or used further up`
    if (outsideModules.has(module) && room !== '' && !outside.has(room))
      return `only ${[...outside].join('/, ')}/ touch the outside: not ${room}/`
    return undefined
  }
  if (room === target || room === '' || (target === '' && visitors.has(room))) return undefined
  if (storeyOf(room) < 0) return `${room}/ is no room of the house: give it a storey in scripts/layers.js`
  if (target === '' || storeyOf(target) >= storeyOf(room))
    return `${room}/ may not know ${target === '' ? 'src/index' : `${target}/`}: imports point down`
  return undefined
}

/**
 * The imports of a source tree that break the rule, a line each.
 *
 * @param {string} root the folder that holds the rooms
 * @returns {string[]}
 */
export function broken(root) {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts'))
    .sort()
    .flatMap(file => {
      const text = readFileSync(join(root, file), 'utf8')
      return ts.preProcessFile(text).importedFiles.flatMap(({ fileName, pos }) => {
        const why = refusal(roomOf(file), target(root, file, fileName))
        const line = text.slice(0, pos).split('\n').length
        return why === undefined ? [] : [`${file}:${line} imports ${fileName}: ${why}`]
      })
    })
}

/** @param {string} file relative to the root */
const roomOf = file => (file.includes('/') ? (file.split('/')[0] ?? '') : '')

/**
 * @param {string} root
 * @param {string} file
 * @param {string} specifier
 */
const target = (root, file, specifier) =>
  specifier.startsWith('.') ? roomOf(relative(root, resolve(root, dirname(file), specifier))) : specifier

if (argv[1] === fileURLToPath(import.meta.url)) {
  const lines = broken(fileURLToPath(new URL('../src', import.meta.url)))
  for (const line of lines) console.error(`src/${line}`)
  if (lines.length > 0) exit(1)
}
