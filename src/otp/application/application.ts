/**
 * application: what belongs together starts and stops as one, with what it depends on. To Erlang it is one of OTP's: it shows in
 * `application:which_applications/0`, and its processes have an application master as group leader.
 *
 * @example
 * ```ts
 * import { Node } from 'beamlet'
 * import { application, genServer, reply, supervisor } from 'beamlet/otp'
 * import assert from 'node:assert/strict'
 *
 * const counter = genServer({ init: (start: number) => start, call: { get: n => reply(n, n) } })
 * const sup = supervisor({ children: [{ id: 'counter', start: counter, args: [10] }] })
 * const shop = application({ name: 'shop', vsn: '1.0', applications: ['kernel', 'stdlib'], env: { port: 8080 }, start: sup })
 *
 * await using node = await Node.start({ name: 'application-docs@127.0.0.1', cookie: 'secret' })
 * await node.applications.start(shop)
 * assert.equal(node.applications.getEnv(shop, 'port'), 8080)
 * await node.applications.stop('shop')
 * ```
 */
import { atomOf, ProcessError } from '../../process/index.js'
import { format, NodeError, type Term } from '../../term/index.js'
import type { Application, ApplicationCode, ApplicationDefinition, Env } from './types.js'
import { moduleOf } from '../gen/runner.js'
import { definitionOf } from '../gen/start.js'

/** What the controller of applications refused, or a start that failed; `reason` is OTP's. Code ERR_APPLICATION. */
export class ApplicationError extends NodeError {
  readonly reason: Term

  constructor(reason: Term, remedy = '') {
    super('ERR_APPLICATION', `The application controller answered {error, ${format(reason)}}.${remedy}`)
    this.reason = reason
  }
}

const codes = new WeakMap<object, ApplicationCode>()
/** By the URL of the module that defines them; each version of it stays as long as this thread, and so do they. */
const modules = new Map<string, ApplicationCode[]>()

/** Defines an application; `node.applications` starts and stops it. @throws ProcessError ERR_NAME, ERR_BADARG */
export function application<const E extends Env = {}, S = undefined>(definition: ApplicationDefinition<E, S>): Application<E> {
  const { name, module, start, startPhases, applicationStarter } = definition
  const named = atomOf(name)
  if (start !== undefined && typeof start !== 'function' && !definitionOf(start))
    throw new ProcessError(
      'ERR_BADARG',
      `The application '${name}' starts with a supervisor, or a function: give what supervisor() returned.`,
    )
  if (start === undefined && startPhases !== undefined)
    throw new ProcessError('ERR_BADARG', `The application '${name}' has start phases and no start: a library runs nothing.`)
  if (applicationStarter && startPhases === undefined)
    throw new ProcessError(
      'ERR_BADARG',
      `The application '${name}' has an application starter: give it the startPhases that this shall run.`,
    )
  const made = Object.freeze({ name })
  const code: ApplicationCode = { name: named, module: moduleOf(module, name), definition }
  codes.set(made, code)
  if (module !== undefined) modules.set(module, [...(modules.get(module) ?? []), code])
  return made
}

/** What a module defines, in the version that has this URL */
export const applicationsOf = (url: string): readonly ApplicationCode[] => modules.get(url) ?? []

/** What was defined; undefined for what is no application. */
export const codeOf = (made: unknown): ApplicationCode | undefined => (made instanceof Object ? codes.get(made) : undefined)
