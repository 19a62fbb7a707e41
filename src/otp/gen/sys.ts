/**
 * System messages, which every OTP process takes at any time: `{system, From, Request}`, answered as a call. A process that is suspended takes
 * nothing else.
 *
 *   get_state   {replace_state, Fun}   get_status   suspend   resume   {terminate, Reason}   {debug, Command}
 *   {change_code, Module, OldVsn, Extra}   while it is suspended
 *
 * Source: sys.erl (do_cmd, suspend_loop).
 */
import { ErlangError, ExitError, type Process, reason } from '../../process/index.js'
import { Atom, atom, isFun, NodeError, type Pid, type Term, Tuple, tuple } from '../../term/index.js'
import { applyFun } from '../rpc/apply-fun.js'
import { RpcError } from '../rpc/erpc.js'
import { dictionaryOf } from './dictionary.js'
import { aliasOf, type Caller, reply } from './gen.js'
import { nameOf } from './process-name.js'
import { Debug, type FormatEvent } from './sys-debug.js'

/** What only a process has that was sent system messages. */
export interface SysState {
  suspended: boolean
  /** The number of the last message that was looked at while it is suspended */
  seen: number
  debug: Debug | null
  /** It handles nothing any more, once `reached` was told: see GenRunner.hold. */
  held: { reached(): void } | null
}

export const newSysState = (): SysState => ({ suspended: false, seen: 0, debug: null, held: null })

/** What a behaviour gives `sys` to work with. */
export interface SystemProcess {
  readonly self: Process
  readonly parent: Pid
  /** `gen_server` … */
  readonly behaviour: Atom
  sys: SysState | null
  systemGetState(): Term
  /** The answer to replace_state: the state, as `fun` gave it. */
  systemReplaceState(fun: (state: Term) => Promise<Term>): Promise<Term>
  /** What get_status tells besides the usual. */
  systemStatus(sysState: Atom, log: readonly Term[]): Term
  /** `module`: which code is new; only a gen_event has more than one. */
  systemCodeChange(oldVsn: Term, extra: Term, module: Term): unknown
  systemTerminate(reason: Term): void
  readonly formatEvent: FormatEvent
}

const ok = atom('ok')
const system = atom('system')

/** Is it `{system, From, Request}`? */
export const isSystem = (message: Term): boolean => message instanceof Tuple && message.length === 3 && message.elements[0] === system

/** Answers a system message, at once or later: then the promise says when; it never rejects. */
export function handleSystem(target: SystemProcess, from: Caller, request: Term): Promise<void> | void {
  const answer = (value: Term): void => reply(target.self, from, value)
  const state = (target.sys ??= newSysState())
  if (request === atom('suspend') || request === atom('resume')) {
    state.suspended = request === atom('suspend')
    state.seen = 0
    return answer(ok)
  }
  if (request === atom('get_state')) return answer(stated(from, target.systemGetState()))
  if (request === atom('get_status')) return answer(status(target, state))
  const parts = request instanceof Tuple ? (request.elements as readonly Term[]) : []
  const [what, first, second, third] = parts
  const shape = what instanceof Atom ? `${what.name}/${parts.length}` : ''
  if (shape === 'replace_state/2') return replaceState(target, from, first as Term).then(answer)
  if (shape === 'change_code/4' && state.suspended) return changeCode(target, second as Term, third as Term, first as Term).then(answer)
  if (shape === 'debug/2') return answer(debug(target, state, first as Term, from.pid))
  if (shape === 'terminate/2') {
    answer(ok)
    return target.systemTerminate(first as Term)
  }
  answer(tuple(atom('error'), tuple(atom('unknown_system_msg'), request)))
}

/** Tells the debug functions of a process, where there are any, what happens in it. */
export function tellEvent(target: SystemProcess, ...event: readonly Term[]): void {
  target.sys?.debug?.event(new Tuple(event), nameOf(target.self))
}

function debug(target: SystemProcess, state: SysState, command: Term, from: Pid): Term {
  state.debug ??= new Debug(target.self, target.formatEvent)
  const answer = state.debug.command(command, from)
  if (state.debug.isIdle) state.debug = null
  return answer
}

function status(target: SystemProcess, { suspended, debug }: SysState): Term {
  const { self, parent, behaviour } = target
  const sysState = atom(suspended ? 'suspended' : 'running') as Atom
  const misc = target.systemStatus(sysState, debug?.log ?? [])
  const dictionary = [...dictionaryOf(self.local, self.host)].map(entry => tuple(...entry))
  const details = [dictionary, sysState, parent, debug?.options(behaviour, nameOf(self)) ?? [], misc]
  return tuple(atom('status'), self.pid, tuple(atom('module'), behaviour), details)
}

/** OTP 25 takes the state as it is, later releases within `{ok, State}`. Who asks is of 25 when its alias has three words, as only there. */
const stated = ({ tag }: Caller, state: Term): Term => (aliasOf(tag)?.words.length === 3 ? state : tuple(ok, state))

async function replaceState(target: SystemProcess, from: Caller, fun: Term): Promise<Term> {
  const failed = (kind: string, why: Term): Term => {
    const callback = tuple(target.behaviour, atom('system_replace_state'))
    return tuple(atom('error'), tuple(atom('callback_failed'), callback, tuple(atom(kind), why)))
  }
  if (!isFun(fun)) return failed('error', tuple(atom('badfun'), fun))
  try {
    return stated(from, await target.systemReplaceState(state => applyFun(target.self, fun, from.pid.node, [state])))
  } catch (error) {
    if (error instanceof RpcError) return failed(error.class === 'erpc' ? 'error' : error.class, error.reason)
    // Its node did not answer in time, or is none that answers.
    return failed('exit', error instanceof NodeError ? Buffer.from(error.message) : reason.termOf(error))
  }
}

async function changeCode(target: SystemProcess, oldVsn: Term, extra: Term, module: Term): Promise<Term> {
  try {
    await target.systemCodeChange(oldVsn, extra, module)
    return ok
  } catch (thrown) {
    const exit = (why: Term): Term => tuple(atom('error'), tuple(atom('EXIT'), why))
    if (thrown instanceof ExitError || thrown instanceof ErlangError || thrown instanceof Error) return exit(reason.reasonOf(thrown))
    return tuple(atom('error'), reason.termOf(thrown))
  }
}
