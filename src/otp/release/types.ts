/** What a release is made of: instructions for nodes, as an appup file has them. Source: the manual of appup. */
import type { Atom, Pid, Sendable, Term } from '../../term/index.js'
import type { FunctionCall } from '../rpc/rpc.js'

type Name = string | Atom

/**
 * The code of a module. For a BEAM: the bytes of a `.beam`, or its path on that node. For a TypeScript node: the URL of the file, and that only for the
 * node that installs the release; others load a module again from where they have it.
 */
export type ObjectCode = Uint8Array | string | URL

/** What becomes of the processes of a module: they meet the new code with the state that they have, or `code_change` makes it, with `Extra`. */
export type ModuleChange = 'soft' | 'supervisor' | { readonly advanced: Sendable }

/** `{load_module, Module}`: for code that no process has its state of */
export interface LoadModule {
  readonly loadModule: Name
  /** Default: on a BEAM the file on its code path, in TypeScript the file that it came from */
  readonly code?: ObjectCode | undefined
  /** On a BEAM: what it is taken back to. Default: the file on its code path, which is that only as long as nothing has been installed over it */
  readonly old?: Uint8Array | string | undefined
}

/** `{update, Module, Change}`: its processes are suspended, loaded code and their states change, they go on. */
export interface Update extends Omit<LoadModule, 'loadModule'> {
  readonly update: Name
  readonly change: ModuleChange
}

/** `{add_module, Module}`: one that is not loaded yet */
export interface AddModule extends Pick<LoadModule, 'code'> {
  readonly addModule: Name
}

/** `{delete_module, Module}` */
export interface DeleteModule extends Pick<LoadModule, 'old'> {
  readonly deleteModule: Name
}

/** `{apply, {Module, Function, Args}}` */
export interface Apply {
  readonly apply: FunctionCall
  /** What takes it back; null: nothing has to. Without it the error says that it was not taken back. */
  readonly undo?: FunctionCall | null | undefined
}

export type Instruction = LoadModule | Update | AddModule | DeleteModule | Apply

export interface NodeRelease {
  readonly node: Name
  /** In this order; they are taken back in the other one. */
  readonly instructions: readonly Instruction[]
}

export interface ReleaseOptions {
  /** Milliseconds that an instruction has to suspend processes, and each `code_change`, purge and function after that. Default: 5000 */
  readonly timeout?: number | undefined
  /** What happens to processes that still run a version for which there is no room: `'soft'` (default): the release is not installed; or they are killed. */
  readonly purge?: 'kill' | 'soft' | undefined
  /** Told of each instruction */
  readonly progress?: ((progress: ReleaseProgress) => void) | undefined
  /** Takes all of it back, once the instruction under way is done */
  readonly signal?: AbortSignal | undefined
}

export interface ReleaseProgress {
  readonly node: string
  /** `prepared`: the node can do all of it. `committed`: nothing is taken back any more. */
  readonly what: 'prepared' | 'done' | 'failed' | 'undone' | 'committed'
  /** Which instruction of that node, from 1; null: all of them */
  readonly step: number | null
  readonly instruction: Instruction | null
  /** How many of the release's instructions are done, of so many */
  readonly done: number
  readonly of: number
}

/** What could not be taken back */
export interface NotUndone {
  readonly node: string
  /** From 1; null: all of that node's, for it is gone */
  readonly step: number | null
  readonly instruction: Instruction | null
  /** The process because of which; null: none */
  readonly server: Pid | null
  readonly reason: Term
}

export interface Installed {
  readonly node: string
  /** The processes that have moved to another version */
  readonly servers: readonly Pid[]
}
