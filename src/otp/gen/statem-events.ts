/** What gen_statems have in common, and their events as text, as `sys:trace` prints them. Source: gen_statem.erl (print_event, event_string). */
import { type Atom, atom, equals, type Term, Tuple, tuple } from '../../term/index.js'
import type { OtpModule } from './runner.js'
import { ioLibFormat } from '../io/io-lib-format.js'

const name = atom('gen_statem') as Atom

export const genStatemModule: OtpModule = { name, formatEvent: formatStatemEvent, loop: tuple(name, atom('loop') as Atom, 3) }

export function formatStatemEvent(event: Term, name: Term): string {
  const [first = null, second = null, third = null] = event instanceof Tuple ? (event.elements.slice(1) as Term[]) : []
  const print = (format: string, ...values: Term[]): string => ioLibFormat(`*DBG* ~tp ${format}~n`, [name, ...values])
  const tag = event instanceof Tuple ? event.tag : undefined
  switch (tag) {
    case 'in':
      return print(`receive ~ts in state ~tp`, Buffer.from(eventString(first)), second)
    case 'out':
      return print('send ~tp to ~tw', first, (second as Tuple).elements[0] as Term)
    case 'enter':
      return print('enter ~tp in state ~tp', first, second)
    case 'postpone':
    case 'consume': {
      const change = equals(second, third) ? ioLibFormat('~tp', [second]) : ioLibFormat('~tp => ~tp', [second, third])
      return print(`${tag} ~ts in state ~ts`, Buffer.from(eventString(first)), Buffer.from(change))
    }
    default:
      return print('~tp', event)
  }
}

/** `call Request from Pid`, or `Type Content` */
function eventString(event: Term): string {
  const [type = null, content = null] = event instanceof Tuple ? (event.elements as readonly Term[]) : []
  if (type instanceof Tuple && type.tag === 'call') {
    const from = type.elements[1] as Tuple
    return ioLibFormat('call ~tp from ~tw', [content, from.elements[0] as Term])
  }
  return ioLibFormat('~tw ~tp', [type, content])
}
