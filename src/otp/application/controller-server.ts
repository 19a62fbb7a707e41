/**
 * What the registered process `application_controller` answers:
 *
 *   gen call which_applications     [{Name, Description, Vsn}], the latest first
 *   gen call info                   what is loaded, started and running
 *   gen call {start_type, Name}     normal while it starts, else local
 *
 * It loads, starts, stops and sets nothing for processes that ask by message: those requests of OTP's are refused with {error, not_allowed}.
 *
 * Source: application_controller.erl (handle_call, handle_info).
 */
import { type Atom, atom, Pid, type Sendable, type Term, Tuple, tuple } from '../../term/index.js'
import { genServer, noreply } from '../gen/gen-server.js'
import { type Definition, definitionOf } from '../gen/start.js'

/** What is behind it */
export interface Controlling {
  which(): Term[]
  info(): Sendable
  startType(name: Term): Term
  /** A process that it is linked to has ended. */
  ended(pid: Pid, why: Term): void
}

/** OTP's requests that change something */
const changes = new Set<Term>(
  [
    'load_application',
    'unload_application',
    'start_application',
    'stop_application',
    'permit_application',
    'control_application',
    'change_application_data',
    'prep_config_change',
    'config_change',
    'set_env',
    'unset_env',
  ].map(name => atom(name)),
)

function answer(request: Term, controlling: Controlling): Sendable {
  const [what, name] = request instanceof Tuple ? (request.elements as readonly Term[]) : [request]
  if (request === atom('which_applications')) return controlling.which()
  if (request === atom('info')) return controlling.info()
  if (what === atom('start_type') && name !== undefined) return controlling.startType(name)
  const known = what !== undefined && changes.has(what)
  return tuple(atom('error'), atom(known ? 'not_allowed' : 'bad_request'))
}

export function controllerServer(controlling: Controlling): Definition {
  const none = atom('undefined') as Atom
  const server = genServer({
    init() {
      this.trapExit = true
      return none
    },
    handleCall: (request, from) => {
      from.reply(answer(request, controlling))
      return noreply(none)
    },
    handleCast: () => none,
    handleInfo: message => {
      if (message instanceof Tuple && message.tag === 'EXIT' && message.elements[1] instanceof Pid)
        controlling.ended(message.elements[1], message.elements[2] as Term)
      return none
    },
  })
  return definitionOf(server) as Definition
}
