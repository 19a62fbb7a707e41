/**
 * Loaded code, as Erlang's `code` and `c` see it: `rpc:call(Node, c, l, [calc])`. They load nothing but what this node has loaded, from where that came: other
 * nodes are handed no shell.
 *
 * Source: the manuals of code and c.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { CodeError } from '../../node/code.js'
import type { Kernel } from '../../node/kernel.js'
import { ErlangError, type Process } from '../../process/index.js'
import { Atom, atom, charlist, NodeError, type Sendable, tuple, type Term } from '../../term/index.js'
import type { Builtins } from './builtins.js'
import { errorReport } from '../logger/report.js'

const error = (reason: string): Sendable => tuple(atom('error'), atom(reason))

export function codeBuiltins(kernel: Kernel<any>): Builtins {
  const { code } = kernel
  /** Beamlet's own are `preloaded`; what was loaded as functions came from no file. */
  const fileOf = (module: Atom): Sendable =>
    code.isReserved(module) ? atom('preloaded') : charlist(pathOf(code.current(module)?.source) ?? '')
  const asAtom = <T>(module: unknown, then: (name: Atom) => T): T => {
    if (module instanceof Atom) return then(module)
    throw new ErlangError(atom('function_clause'))
  }

  /** `{module, Module}`; what cannot be loaded leaves all as it is, and why is told to the logger of whoever asks. */
  async function load(self: Process, module: Atom, purge: 'kill' | 'soft'): Promise<Sendable> {
    try {
      await code.reload(module, { purge })
      return tuple(atom('module'), module)
    } catch (thrown) {
      if (!(thrown instanceof NodeError)) throw thrown
      if (thrown instanceof CodeError && thrown.code === 'ERR_CODE_NO_FILE') return error('nofile')
      if (thrown instanceof CodeError && thrown.code === 'ERR_CODE_IN_USE') return error('not_purged')
      const pair = (name: string, value: Sendable): Sendable => tuple(atom(name), value)
      errorReport(self, () => [pair('module', module), pair('code', atom(thrown.code)), pair('says', charlist(thrown.says))])
      return error('badfile')
    }
  }

  return {
    c: { 'l/1': (self, module) => asAtom(module, name => load(self, name, 'kill')) },
    code: {
      'load_file/1': (self, module) => asAtom(module, name => load(self, name, 'soft')),
      'which/1': (_, module) => asAtom(module, name => (code.isLoaded(name) ? fileOf(name) : atom('non_existing'))),
      'is_loaded/1': (_, module) => asAtom(module, name => code.isLoaded(name) && tuple(atom('file'), fileOf(name))),
      'all_loaded/0': () => code.loaded().map(name => tuple(name, fileOf(name))),
      'purge/1': (_, module) => asAtom(module, name => code.purge(name)),
      'soft_purge/1': (_, module) => asAtom(module, name => code.softPurge(name)),
      'get_object_code/1': (_, module) => asAtom(module, name => objectCode(name, pathOf(code.current(name)?.source))),
    },
  }

  async function objectCode(module: Atom, path: string | undefined): Promise<Term> {
    if (path === undefined) return atom('error')
    try {
      return tuple(module, await readFile(path), charlist(path)) as Term
    } catch {
      // The file is gone, or cannot be read: OTP says no more than that.
      return atom('error')
    }
  }
}

/** The file of a URL */
const pathOf = (source: string | null | undefined): string | undefined =>
  typeof source === 'string' ? (source.startsWith('file:') ? fileURLToPath(source) : source) : undefined
