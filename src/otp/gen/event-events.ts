/** What event managers have in common, and their events as text, as `sys:trace` prints them. Source: gen_event.erl (print_event). */
import { type Atom, atom, type Term, Tuple, tuple } from '../../term/index.js'
import type { OtpModule } from './runner.js'
import { ioLibFormat } from '../io/io-lib-format.js'

const name = atom('gen_event') as Atom

export const genEventModule: OtpModule = { name, formatEvent: formatEventEvent, loop: tuple(name, atom('fetch_msg') as Atom, 6) }

export function formatEventEvent(event: Term, name: Term): string {
  const print = (format: string, ...values: Term[]): string => ioLibFormat(`*DBG* ~tp${format}~n`, [name, ...values])
  if (!(event instanceof Tuple) || event.tag !== 'in') return print(' : ~tp', event)
  const message = event.elements[1] as Term
  if (!(message instanceof Tuple)) return print(' got ~tp', message)
  if (message.length === 2 && message.tag === 'notify') return print(' got event ~tp', message.elements[1] as Term)
  const request: unknown = message.length === 3 ? message.elements[2] : null
  if (!(request instanceof Tuple) || request.length !== 3 || request.tag !== 'call') return print(' got ~tp', message)
  return print('(~tp) got call ~tp', request.elements[1] as Term, request.elements[2] as Term)
}
