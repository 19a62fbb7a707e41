/** What OTP's processes keep in their dictionaries: how proc_lib started them, and their label. */
import type { LocalProcess, Processes } from '../../process/index.js'
import { type Atom, atom, type Pid, type Term } from '../../term/index.js'
import { ProcLibRunner } from './proc-lib-runner.js'

const [initialCall, ancestors, label] = ['$initial_call', '$ancestors', '$process_label'].map(key => atom(key)) as [Atom, Atom, Atom]

export function dictionaryOf(process: LocalProcess, processes: Processes): ReadonlyMap<Atom, Term> {
  const { runner, rare } = process
  const entries = new Map<Atom, Term>()
  if (runner instanceof ProcLibRunner) {
    entries.set(initialCall, runner.initialCall)
    entries.set(ancestors, ancestorsOf(process, processes))
  }
  if (rare?.label !== undefined) entries.set(label, rare.label)
  return entries
}

/** Who started it, who started that one, and so on: by name where there is one, as far as they live in this place. The node itself is the last. */
function ancestorsOf(process: LocalProcess, { table, registry, init }: Processes): Term[] {
  const found: Term[] = []
  let child: LocalProcess | undefined = process
  while (child?.runner instanceof ProcLibRunner) {
    const parent: Pid = child.runner.starter ?? init.pid
    child = table.find(parent)
    found.push(registry.nameOf(parent) ?? parent)
  }
  return found
}
