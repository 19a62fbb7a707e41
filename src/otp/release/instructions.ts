/** Instructions as they are written, checked and made terms. */
import { atomOf } from '../../process/index.js'
import { type Atom, atom, charlist, type Sendable, tuple } from '../../term/index.js'
import type { FunctionCall } from '../rpc/rpc.js'
import { ReleaseError } from './errors.js'
import type { Instruction, ModuleChange, NodeRelease, ObjectCode, Update } from './types.js'

/** Of OTP, and what there is in place of them */
const refused: Readonly<Record<string, string>> = {
  restartNewEmulator: 'a node that is to start anew is drained, closed and started by whoever starts it (docs/drain.md)',
  restartEmulator: 'a node that is to start anew is drained, closed and started by whoever starts it (docs/drain.md)',
  addApplication: "say { apply: ['application', 'start', [name]], undo: ['application', 'stop', [name]] }",
  removeApplication: "say { apply: ['application', 'stop', [name]], undo: ['application', 'start', [name]] }",
  restartApplication: 'stop and start it with two { apply: … }',
}

const kinds = ['loadModule', 'update', 'addModule', 'deleteModule', 'apply'] as const

/** @throws ReleaseError ERR_RELEASE_INSTRUCTION */
export function termsOf(releases: readonly NodeRelease[]): { readonly node: Atom; readonly steps: readonly Sendable[] }[] {
  const seen = new Set<string>()
  return releases.map(({ node, instructions }) => {
    const name = atomOf(node)
    const wrong = (says: string, index: number | null): ReleaseError => {
      const instruction = index === null ? null : (instructions[index] ?? null)
      const fault = { node: name.name, step: index === null ? null : index + 1, instruction, server: null, reason: atom('badarg') }
      return new ReleaseError('ERR_RELEASE_INSTRUCTION', says, fault)
    }
    if (seen.has(name.name)) throw wrong(`The release names ${name.name} twice: give all of its instructions in one list.`, null)
    seen.add(name.name)
    if (!Array.isArray(instructions) || instructions.length === 0)
      throw wrong(`The release has no instructions for ${name.name}: leave it out, or give a list.`, null)
    const steps = instructions.map((instruction, index) => {
      try {
        return termOf(instruction)
      } catch (thrown) {
        if (thrown instanceof Wrong) throw wrong(`Instruction ${index + 1} for ${name.name} cannot be: ${thrown.message}.`, index)
        throw thrown
      }
    })
    return { node: name, steps }
  })
}

class Wrong extends Error {}

function termOf(instruction: Instruction): Sendable {
  const keys = instruction instanceof Object ? Object.keys(instruction) : []
  const known = kinds.filter(kind => keys.includes(kind))
  if (known.length !== 1) {
    const [name = 'nothing', remedy] = Object.entries(refused).find(([key]) => keys.includes(key)) ?? [keys[0]]
    throw new Wrong(`there is no ${name} here: ${remedy ?? `it has one of ${kinds.join(', ')}`}`)
  }
  if ('apply' in instruction) return tuple(atom('apply'), callOf(instruction.apply), undoOf(instruction.undo))
  if ('deleteModule' in instruction) return tuple(atom('delete'), named(instruction.deleteModule), codeOf(instruction.old))
  if ('addModule' in instruction) return tuple(atom('add'), named(instruction.addModule), codeOf(instruction.code))
  const codes = [codeOf(instruction.code), codeOf(instruction.old)] as const
  if ('loadModule' in instruction) return tuple(atom('load'), named(instruction.loadModule), ...codes)
  const { update, change } = instruction as Update
  return tuple(atom('update'), named(update), changeOf(change), ...codes)
}

function named(name: string | Atom): Atom {
  try {
    return atomOf(name)
  } catch {
    throw new Wrong(`${String(name)} cannot name a module`)
  }
}

function changeOf(change: ModuleChange): Sendable {
  if (change === 'soft' || change === 'supervisor') return atom(change)
  if (change instanceof Object && 'advanced' in change) return tuple(atom('advanced'), change.advanced)
  throw new Wrong("`change` is 'soft', 'supervisor' or { advanced: extra }")
}

function codeOf(code: ObjectCode | undefined): Sendable {
  if (code === undefined) return atom('none')
  if (code instanceof URL) return tuple(atom('url'), code.href)
  if (code instanceof Uint8Array) return tuple(atom('binary'), code)
  if (typeof code === 'string') return tuple(atom('file'), charlist(code))
  throw new Wrong('code is bytes, a path or a URL')
}

function callOf(call: FunctionCall): Sendable {
  if (!Array.isArray(call) || call.length !== 3 || !Array.isArray(call[2])) throw new Wrong('a function is [module, function, arguments]')
  const [module, fun, args] = call as FunctionCall
  return tuple(named(module), named(fun), args)
}

const undoOf = (undo: FunctionCall | null | undefined): Sendable =>
  undo === undefined ? atom('none') : undo === null ? atom('nothing') : callOf(undo)
