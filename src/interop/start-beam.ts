import { randomBytes } from 'node:crypto'
import { env, pid } from 'node:process'
import type { Duplex } from 'node:stream'
import type { Atom, Term, Tuple } from '../term/index.js'
import { loader } from './agent.js'
import { Beam } from './beam.js'
import { Child } from './child.js'
import { Control, exited } from './control.js'
import { type Waiting, within } from './deadline.js'
import { InteropError } from './errors.js'
import { Log } from './log.js'
import { missing, programOf, type Release } from './release.js'

export interface BeamOptions extends Waiting {
  /** 25, 27, 29 …; without it, the erl on the PATH */
  readonly otp?: Release | undefined
  /** `name` or `name@host`, default a new one at 127.0.0.1; false: no distribution. The host decides between -name and -sname. */
  readonly name?: string | false | undefined
  /** Default: a new one, see `beam.cookie` */
  readonly cookie?: string | undefined
  readonly hidden?: boolean | undefined
  /** Erlang modules, compiled and loaded before the node is handed out */
  readonly code?: string | readonly string[] | undefined
  /** More arguments of erl: `['-kernel', 'net_ticktime', '5']` */
  readonly args?: readonly string[] | undefined
  readonly env?: Readonly<Record<string, string>> | undefined
  /** The epmd of another port (see `startEpmd`); the node then starts none itself. */
  readonly epmdPort?: number | undefined
  /** Put Elixir on the code path, for `beam.elixir`. */
  readonly elixir?: boolean | undefined
}

/**
 * Starts a real BEAM node and resolves when it is up, registered and its modules are loaded. It ends with `beam.stop()`, or at the
 * latest with this process.
 *
 * @throws InteropError ERR_INTEROP_NO_OTP when that release is not here; ERR_INTEROP_START with what the node wrote when it did not start.
 *
 * @example
 * ```ts
 * import { atom, equals } from 'beamlet'
 * import { startBeam } from 'beamlet/interop'
 *
 * const beam = await startBeam({ code: '-module(greeter). -export([hello/1]). hello(Name) -> {hello, Name}.' })
 * const answer = await beam.eval('greeter:hello(Who).', { bindings: { Who: atom('joe') } })
 * console.log(answer) // {hello, joe}
 * await beam.stop()
 * ```
 */
export async function startBeam(options: BeamOptions = {}): Promise<Beam> {
  const { name, flags } = naming(options.name)
  const cookie = options.cookie ?? `beamlet-${randomBytes(8).toString('hex')}`
  const child = new Child(programOf('erl', options.otp), [...flags, ...argumentsOf(options, cookie)], {
    env: { ...env, ...(options.epmdPort === undefined ? {} : { ERL_EPMD_PORT: String(options.epmdPort) }), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  const log = new Log()
  const control = new Control(child.process.stdio[3] as Duplex, log)
  void child.exited.then(() => control.fail(exited(name, child.output)))
  try {
    return await within(options, `start of ${name}`, async () => {
      const [release, node] = await ready(control, child, options.otp)
      const beam = new Beam(child, control, log, { name: node, cookie, otp: release })
      for (const source of [options.code ?? []].flat()) await beam.load(source)
      return beam
    })
  } catch (error) {
    await child.kill()
    throw error
  }
}

async function ready(control: Control, child: Child, wanted: Release | undefined): Promise<[Release, string]> {
  let term: Term
  try {
    term = await control.ready
  } catch (cause) {
    if (child.exit?.code === 127) throw missing(wanted, child.output)
    throw new InteropError('ERR_INTEROP_START', `The node did not start. It wrote: ${child.output.trim() || 'nothing'}`, { cause })
  }
  const [release, node] = (term as Tuple<[Release, Atom]>).elements
  if (wanted !== undefined && release !== wanted) throw missing(wanted, `the erl on the PATH is of OTP ${release}`)
  return [release, node.name]
}

let started = 0

function naming(name: string | false | undefined): { name: string; flags: string[] } {
  if (name === false) return { name: 'nonode@nohost', flags: [] }
  const whole = name ?? `beam-${pid}-${++started}@127.0.0.1`
  const host = whole.split('@')[1]
  return { name: whole, flags: [host !== undefined && /[.:]/.test(host) ? '-name' : '-sname', whole] }
}

/** `+sbwt none`: schedulers that spin while idle would take the machine from the tests. */
function argumentsOf(options: BeamOptions, cookie: string): string[] {
  return [
    ...['-noinput', '-boot', 'no_dot_erlang', '+sbwt', 'none', '+sbwtdcpu', 'none', '+sbwtdio', 'none'],
    ...(options.name === false ? [] : ['-setcookie', cookie]),
    ...(options.hidden ? ['-hidden'] : []),
    ...(options.epmdPort === undefined ? [] : ['-start_epmd', 'false']),
    ...(options.args ?? []),
    ...(options.elixir ? ['-eval', elixirPath] : []),
    ...['-eval', loader],
  ]
}

/** Elixir's applications lie beside the program `elixir`, which may be a link to it. */
const elixirPath = `
  Follow = fun F(Path) ->
    case file:read_link(Path) of {ok, Next} -> F(filename:absname(Next, filename:dirname(Path))); _ -> Path end
  end,
  Program = Follow(os:find_executable("elixir")),
  code:add_pathsa(filelib:wildcard(filename:join([filename:dirname(Program), "..", "lib", "*", "ebin"]))).`
  .trim()
  .replace(/\n\s*/g, ' ')
