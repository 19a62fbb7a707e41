/**
 * `beamlet start FILE`: a node that runs a file until it is told to end.
 *
 *   export default (node: Node) => void | Promise<void>      is called once the node is up
 *   export default application({ … })                        is started, permanent, with what it depends on: the node lives as long as it does
 *   export default { add: (a, b) => a + b }                  \ functions to load as code, in a module that is named as the file is:
 *   export function add(a, b) { … }                          / Erlang calls calc:add(1, 2) for calc.js
 */
import { existsSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Node } from '../index.js'
import { codeOf } from '../otp/application/application.js'
import type { Application } from '../otp/application/types.js'
import { CliError } from './errors.js'
import { type CommonOptions, tlsOf } from './options.js'
import { progress } from './output.js'
import { untilTold } from './until-told.js'
import { Watch } from './watch.js'

export interface StartOptions extends CommonOptions {
  /** Milliseconds that SIGTERM may take; 0: the node closes at once */
  readonly drain: number
  /** Moves to the file's new text each time that it is written */
  readonly watch: boolean
}

type Functions = Parameters<Node['code']['load']>[1]
type Program = (node: Node) => unknown

/**
 * Resolves when it was told to end and the node is closed; not at all when the file itself closes the node.
 *
 * @throws CliError CLI_FILE, CLI_PROGRAM; what Node.start throws.
 */
export async function start(file: string, options: StartOptions): Promise<void> {
  const { name, cookie, hidden, epmdPort } = options
  const module = basename(file, extname(file))
  const run = await programOf(file, module, options.watch)
  await using node = await Node.start({ name: name ?? module.replace(/[^\w-]/g, '_'), cookie, hidden, epmdPort, tls: tlsOf(options) })
  const path = resolve(file)
  const url = pathToFileURL(path)
  if (options.watch) await node.code.load(module, url)
  using _watch = options.watch ? new Watch(node, module, url, path) : null
  const told = untilTold()
  const began = running(node, run, file)
  // However the file's own function ends once the node closes under it, the end was asked for.
  began.catch(() => {})
  progress(`${node.name} is up${node.hidden ? ', hidden' : ''}, at port ${node.port}`)
  const signal = await Promise.race([told, began.then(() => told)])
  // An interrupt is of a person at a terminal, who does not want to wait.
  if (signal === 'SIGTERM' && options.drain > 0) await drain(node, options.drain)
  progress(`${node.name} closes`)
}

async function drain(node: Node, timeout: number): Promise<void> {
  progress(`${node.name} drains`)
  const { ended } = await node.drain({ timeout })
  if (ended > 0) progress(`${ended} still ran after ${timeout} ms, and ${ended === 1 ? 'was' : 'were'} ended`)
}

async function running(node: Node, run: Program, file: string): Promise<void> {
  try {
    await run(node)
  } catch (cause) {
    throw new CliError('CLI_PROGRAM', `The default export of ${file} failed.`, { cause })
  }
}

/** What the file says is to be done. */
async function programOf(file: string, module: string, watched: boolean): Promise<Program> {
  const exported = await importFile(file)
  const { default: main } = exported
  if (typeof main === 'function') return main as Program
  if (codeOf(main)) return node => runApplication(node, main as Application)
  const functions = (main ?? exported) as Functions
  if (typeof functions !== 'object' || !Object.values(functions).some(value => typeof value === 'function'))
    throw new CliError('CLI_FILE', `${file} exports nothing to run: export a default function (node) => …, or functions to be called.`)
  if (!watched) return node => node.code.load(module, functions)
  if (main === undefined) return () => {}
  throw new CliError('CLI_FILE', `${file} exports its functions as one object, which --watch cannot replace: export each by its name.`)
}

/** Rejects when the application does not start, or ends. */
async function runApplication(node: Node, app: Application): Promise<void> {
  const down = new Promise<never>((_, reject) => {
    node.on('error', error => (error.code === 'ERR_APPLICATION_DOWN' ? reject(error) : progress(error.message)))
  })
  await Promise.race([node.applications.ensureAllStarted(app, 'permanent'), down])
  await down
}

async function importFile(file: string): Promise<Readonly<Record<string, unknown>>> {
  const path = resolve(file)
  if (!existsSync(path)) throw new CliError('CLI_FILE', `There is no file ${file}: look at its path, which begins at ${process.cwd()}.`)
  try {
    return (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_UNKNOWN_FILE_EXTENSION')
      throw new CliError('CLI_PROGRAM', `${file} does not load.`, { cause })
    const remedy = `give a loader (NODE_OPTIONS='--import tsx' beamlet start ${file}), or compile it first`
    throw new CliError('CLI_FILE', `This Node.js cannot read ${extname(file)} files by itself: ${remedy}.`, { cause })
  }
}
