import { bulkLatency } from './bulk-latency.js'
import { codecFigure } from './codec.js'
import { concurrency } from './concurrency.js'
import { exits } from './exits.js'
import type { Figure } from './figure.js'
import { genCall } from './gen-call.js'
import { nodedown } from './nodedown.js'
import { binaries, messages } from './one-way.js'
import { pingPong } from './ping-pong.js'
import { processesFigure } from './processes.js'
import { roundTrip } from './round-trip.js'
import { slopes } from './slopes.js'
import { spawnFigure } from './spawn.js'
import { storeFigure } from './store.js'
import { ties } from './ties.js'

/** In the order in which they are printed */
export const figures: readonly Figure[] = [
  codecFigure,
  roundTrip,
  messages,
  binaries,
  bulkLatency,
  genCall,
  pingPong,
  spawnFigure,
  ties,
  exits,
  processesFigure,
  slopes,
  nodedown,
  concurrency,
  storeFigure,
]
